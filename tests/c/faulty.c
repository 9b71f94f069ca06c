/* A C module with one fault, chosen when it is compiled: -DFAULT=<one of the names below>. */
#define _GNU_SOURCE
#include <exeunt.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOUND 0
#define WRONG_MAGIC 1
#define OTHER_INTERFACE 3
#define OTHER_CODE 4
#define OTHER_NAME 5
#define NULL_INIT 6
#define FOREIGN_INIT 7
#define NULL_LISTENER 8
#define FOREIGN_LISTENER 9
#define LATE 10
#define TWICE 11
#define WRONG_EVENT 12
#define DESCRIPTOR 13
#define HANDLER 14
#define MASK 15
#define UMASK 16
#define FOLDER 17
#define RESOURCE 18
#define TEXT_RELOCATION 19
#define SILENT_FAILURE 20

#if FAULT == WRONG_MAGIC
#undef EXEUNT_MAGIC
#define EXEUNT_MAGIC 7
#endif
#if FAULT == OTHER_INTERFACE
#undef EXEUNT_MINOR
#define EXEUNT_MINOR 7
#endif
#if FAULT == OTHER_CODE
#undef EXEUNT_NOTE_TEXT
#define EXEUNT_NOTE_TEXT(name, version, schema)                                                    \
    "abi=0.1\nname=" name "\nversion=" version "\ncompiler=c\nschema=" schema "\n"
#undef EXEUNT_MINOR
#define EXEUNT_MINOR 7
#endif
#if FAULT == OTHER_NAME
#undef EXEUNT_NOTE_TEXT
#define EXEUNT_NOTE_TEXT(name, version, schema)                                                    \
    "abi=0.1\nname=faulty\nversion=" version "\ncompiler=c\nschema=" schema "\n"
#define NAME "other"
#else
#define NAME "faulty"
#endif

static const struct exeunt_host *host;
static struct exeunt_handle kept;

static int32_t agree(void *user, struct exeunt_handle about)
{
    (void)user;
    (void)about;
    return EXEUNT_OK;
}

#if FAULT == LATE
static int32_t again(void *user, struct exeunt_handle about)
{
    (void)user;
    (void)about;
    int32_t status = host->register_listener(kept, exeunt_text("core.exit"), exeunt_text("late"),
                                             exeunt_callback_of(agree, NULL));
    if (status == EXEUNT_BAD_PHASE)
        host->fail(exeunt_text("it was too late"));
    return status;
}
#else
#define again agree
#endif

#if FAULT == TEXT_RELOCATION
/* An address in the code that the dynamic loader would have to write. */
__asm__(".text\n.quad agree_too\n");
int32_t agree_too(void);
int32_t agree_too(void)
{
    return EXEUNT_OK;
}
#endif

#if FAULT == HANDLER
static void handle(int signal)
{
    (void)signal;
}
#endif

static void do_harm(void)
{
#if FAULT == DESCRIPTOR
    (void)!open("/dev/null", O_RDONLY);
#elif FAULT == HANDLER
    signal(SIGUSR1, handle);
#elif FAULT == MASK
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
#elif FAULT == UMASK
    umask(0127);
#elif FAULT == FOLDER
    (void)!chdir("/dev");
#elif FAULT == RESOURCE
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_STACK, &limit);
#endif
}

__attribute__((unused))
static int32_t init(const struct exeunt_host *functions, struct exeunt_handle reg)
{
    host = functions;
    kept = reg;
    do_harm();
    exeunt_call call = again;
    const char *event = "core.exit";
#if FAULT == NULL_LISTENER
    call = NULL;
#elif FAULT == FOREIGN_LISTENER
    call = (exeunt_call)(void (*)(void))abort;
#elif FAULT == WRONG_EVENT
    event = "core.exot";
#endif
    for (int i = 0; i < 1 + (FAULT == TWICE); i++)
        host->register_listener(reg, exeunt_text(event), exeunt_text("agree"),
                                exeunt_callback_of(call, NULL));
    /* What was refused is not looked at: a careless module must be refused nevertheless. */
    return FAULT == SILENT_FAILURE ? EXEUNT_FAILED : EXEUNT_OK;
}

#if FAULT == NULL_INIT
EXEUNT_MODULE(NAME, "1", NULL);
#elif FAULT == FOREIGN_INIT
EXEUNT_MODULE(NAME, "1",
              (int32_t(*)(const struct exeunt_host *, struct exeunt_handle))(void (*)(void))abort);
#else
EXEUNT_MODULE(NAME, "1", init);
#endif
