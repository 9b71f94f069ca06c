/* greeter: counts the logins of each session and says at its end who it was, even if the session's
 * process was killed. An example of a module in C; docs/c-modules.md goes through it.
 *
 * Settings: `greeting` (text, "hello"), `trace` (a file to append a line to at each end; optional).
 */
#define _POSIX_C_SOURCE 200809L

#include <exeunt.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The host's functions: init keeps them. */
static const struct exeunt_host *host;

/* The settings, copied in init: the host's texts are gone when it returns. */
static char greeting[64] = "hello";
static char trace[256];

/* What the module remembers of a session. It outlives the session's process. */
struct state {
    uint32_t logins;
    char last[28];
};

static int32_t failed(const char *why)
{
    host->fail(exeunt_text(why));
    return EXEUNT_FAILED;
}

static int32_t append(const char *line)
{
    if (!trace[0])
        return EXEUNT_OK;
    int fd = open(trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed("the trace cannot be opened");
    ssize_t written = write(fd, line, strlen(line));
    close(fd);
    return written == (ssize_t)strlen(line) ? EXEUNT_OK : failed("the trace cannot be written");
}

static struct exeunt_str fact(struct exeunt_handle about, enum exeunt_fact which)
{
    struct exeunt_str text = {"-", 1};
    host->fact_str(about, which, &text); /* NONE leaves the text as it is */
    return text;
}

static struct state state_of(struct exeunt_handle about)
{
    struct state state = {0, ""};
    host->state_read(about, (uint8_t *)&state, sizeof state);
    return state;
}

static int32_t at_login(void *user, struct exeunt_handle about)
{
    (void)user;
    struct exeunt_str name = fact(about, EXEUNT_FACT_USER);
    struct state state = state_of(about);
    state.logins++;
    snprintf(state.last, sizeof state.last, "%.*s", (int)name.len, name.ptr);
    return host->state_write(about, exeunt_data(&state, sizeof state));
}

static int32_t at_exit(void *user, struct exeunt_handle about)
{
    (void)user;
    struct exeunt_str session = fact(about, EXEUNT_FACT_SESSION);
    struct exeunt_str cause = fact(about, EXEUNT_FACT_CAUSE);
    struct state state = state_of(about);
    /* No living session: its process is dead, and this is another one. */
    int live = !exeunt_is_none(host->living(about));
    char line[512];
    snprintf(line, sizeof line, "greeter/goodbye %.*s %ld cause=%.*s live=%d logins=%u last=%s\n",
             (int)session.len, session.ptr, (long)getpid(), (int)cause.len, cause.ptr, live,
             (unsigned)state.logins, state.logins ? state.last : "-");
    return append(line);
}

static int32_t at_shutdown(void *user, struct exeunt_handle about)
{
    (void)user;
    (void)about;
    char line[128];
    snprintf(line, sizeof line, "%s, and goodbye", greeting);
    host->log(EXEUNT_LEVEL_INFO, exeunt_text(line));
    snprintf(line, sizeof line, "greeter/goodbye daemon %ld\n", (long)getpid());
    return append(line);
}

/* Copies a setting that is text into `to`, if it is there; refuses other kinds and longer texts. */
static void text_setting(struct exeunt_handle value, char *to, size_t size)
{
    struct exeunt_str text;
    if (host->value_str(value, &text) != EXEUNT_OK) {
        host->fail_at(value, exeunt_text("must be a string"), exeunt_text(NULL));
    } else if (text.len >= size) {
        host->fail_at(value, exeunt_text("is too long"), exeunt_text(NULL));
    } else {
        memcpy(to, text.ptr, text.len);
        to[text.len] = '\0';
    }
}

static void read_settings(struct exeunt_handle settings)
{
    int64_t entries = host->value_len(settings);
    for (int64_t i = 0; i < entries; i++) {
        struct exeunt_handle value = host->value_at(settings, (uint64_t)i);
        struct exeunt_str key = {NULL, 0};
        host->value_key(settings, (uint64_t)i, &key);
        if (exeunt_equal(key, "greeting"))
            text_setting(value, greeting, sizeof greeting);
        else if (exeunt_equal(key, "trace"))
            text_setting(value, trace, sizeof trace);
        else
            host->fail_at(value, exeunt_text("unknown key"),
                          exeunt_text("the keys are `greeting` and `trace`"));
    }
}

static int32_t listen_for(struct exeunt_handle reg, const char *event, const char *name,
                          exeunt_call call)
{
    return host->register_listener(reg, exeunt_text(event), exeunt_text(name),
                                   exeunt_callback_of(call, NULL));
}

static int32_t init(const struct exeunt_host *functions, struct exeunt_handle reg)
{
    host = functions;
    read_settings(host->settings(reg));
    int32_t status = host->register_state(reg, sizeof(struct state));
    /* Sessions append to the trace, which must be there. */
    if (status == EXEUNT_OK && trace[0])
        status = host->may_access(reg, EXEUNT_ACCESS_WRITE, exeunt_text(trace));
    if (status == EXEUNT_OK)
        status = listen_for(reg, "core.login", "count", at_login);
    if (status == EXEUNT_OK)
        status = listen_for(reg, "core.exit", "goodbye", at_exit);
    if (status == EXEUNT_OK)
        status = listen_for(reg, "core.shutdown", "goodbye", at_shutdown);
    return status;
}

EXEUNT_MODULE_WITH_SCHEMA("greeter", "1.0.0",
                          "{\"fields\":["
                          "{\"name\":\"greeting\",\"type\":\"text\",\"required\":false,"
                          "\"default\":\"hello\",\"secret\":false,\"doc\":\"The word to say.\"},"
                          "{\"name\":\"trace\",\"type\":\"path\",\"required\":false,"
                          "\"default\":null,\"secret\":false,\"doc\":\"Where to note each end.\"}"
                          "]}",
                          init);
