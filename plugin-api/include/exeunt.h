/* exeunt.h: what a module of exeunt that is written in C or C++ is compiled against.
 *
 * A module is a shared library. It registers what it does while its init runs; the daemon calls it
 * for each session, and for each end exactly once, whatever the session died of. docs/c-modules.md
 * is the tutorial, docs/examples/c/greeter.c a whole module.
 *
 * Rules that hold for every function of the host:
 *
 *  - Where it may be called stands in brackets:
 *      [init]      while the module's init runs;
 *      [session]   in a callback about a living session: core.connect, core.login,
 *                  core.login-failed, the module's own events, serve of a protocol, and core.exit
 *                  while `living` gives a handle;
 *      [end]       in core.exit and core.shutdown listeners;
 *      [farewell]  in the farewell function of a protocol;
 *      [protocol]  in the serve function of a protocol, while no other callback runs;
 *      [any]       in every callback.
 *    Elsewhere it does nothing and returns EXEUNT_BAD_PHASE or EXEUNT_BAD_HANDLE.
 *  - Text and bytes that the host gives out stay the host's: they are valid until the callback
 *    returns, are not terminated by a NUL, and are never freed by the module.
 *  - Text and bytes that are passed in stay the caller's; the host copies them before it returns.
 *  - A handle is valid until the callback that received it returns. One that was kept longer is
 *    refused with EXEUNT_BAD_HANDLE, never somebody else's thing. Handles are not freed.
 *  - Functions return EXEUNT_OK or a number above it, or an exeunt_status below zero.
 *  - Everything is for the thread that was called. Do not start threads in init.
 *  - A callback returns to the host: no longjmp and no C++ exception beyond it, no exit.
 *
 * The interface is 0.N: a module and a host must have equal N until 1.0. After that a host loads the
 * modules of every older minor version, and EXEUNT_HAS tells a newer module what an older host lacks.
 */
#ifndef EXEUNT_H
#define EXEUNT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#define EXEUNT_ASSERT(what, why) static_assert(what, why)
#else
#define EXEUNT_ASSERT(what, why) _Static_assert(what, why)
#endif

/* The version of the interface that this header describes. */
#define EXEUNT_MAJOR 0
#define EXEUNT_MINOR 1

/* ------------------------------------------------------------------------------------ numbers */

/* What a function of the host and a callback of a module return. Zero and above is success. */
enum exeunt_status {
    EXEUNT_OK = 0,               /* done */
    EXEUNT_FAILED = -1,          /* it failed; the reason was given with `fail` */
    EXEUNT_ENDING = -2,          /* the session is ending: return as soon as possible */
    EXEUNT_BAD_HANDLE = -3,      /* the handle is not, or no longer, valid here */
    EXEUNT_BAD_PHASE = -4,       /* not at this time: a registration outside init, for instance */
    EXEUNT_BAD_ARGUMENT = -5,    /* null, not UTF-8, out of range, a name with other characters */
    EXEUNT_DUPLICATE = -6,       /* the same thing was registered before */
    EXEUNT_FOREIGN_POINTER = -7, /* the function does not lie in the code of the module itself */
    EXEUNT_NONE = -8,            /* there is none: no such key, no such fact now, another kind */
    EXEUNT_TOO_BIG = -9,         /* more than there is room for */
    EXEUNT_DENIED = -10,         /* a connect or login listener denies; why was given with `fail` */
    EXEUNT_PANICKED = -11        /* for the Rust SDK; a C module does not return it */
};

/* A fact about a session or its end: for fact_str (text) or fact_int (number). */
enum exeunt_fact {
    EXEUNT_FACT_SESSION = 1,   /* text: the session's id, unique for this daemon and its successors */
    EXEUNT_FACT_USER = 2,      /* text: the user that logged in; none before login */
    EXEUNT_FACT_PEER = 3,      /* text: the client's address and port */
    EXEUNT_FACT_LOCAL = 4,     /* text: the local address and port */
    EXEUNT_FACT_LISTEN = 5,    /* text: the name of the listen in modules.toml */
    EXEUNT_FACT_PROTOCOL = 6,  /* text: the name of the protocol */
    EXEUNT_FACT_COMMAND = 7,   /* text: the last command that the protocol reported; or none */
    EXEUNT_FACT_PATH = 8,      /* text: the folder or file that the protocol reported; or none */
    EXEUNT_FACT_EVENT = 9,     /* text: the name of the event that is being delivered */
    EXEUNT_FACT_CAUSE = 10,    /* text: the cause of the end, "client-quit" for instance; at an end */
    EXEUNT_FACT_DETAIL = 11,   /* text: its detail: which limit, signal, module; or none */
    EXEUNT_FACT_VERB = 12,     /* text: the verb of the command that a hook or handler is about */
    EXEUNT_FACT_ARGUMENT = 13, /* text: its argument; none if it has none, or is a secret */
    EXEUNT_FACT_REPLY = 14,    /* text: the reply to it, once there is one */
    EXEUNT_FACT_CLAIMED = 15,  /* text: the user that somebody claims to be, for an authenticator */
    EXEUNT_FACT_SECRET = 16,   /* text: what they prove it with, for an authenticator */
    EXEUNT_FACT_TOKEN = 17,    /* text: names this turn of a listener, the same for all attempts */
    EXEUNT_FACT_BYTES_IN = 32, /* number: bytes received from the client */
    EXEUNT_FACT_BYTES_OUT = 33,/* number: bytes sent to the client */
    EXEUNT_FACT_STARTED = 34,  /* number: the session's start, milliseconds since 1970 UTC */
    EXEUNT_FACT_ENDED = 35,    /* number: when its end was committed, likewise; at an end */
    EXEUNT_FACT_LIVE = 36,     /* number: 1 if the session's process is alive and this one, else 0 */
    EXEUNT_FACT_ATTEMPT = 37,  /* number: how often this listener was entered for this session */
    EXEUNT_FACT_LISTEN_INDEX = 38,/* number: the index of the listen among those of the protocol */
    EXEUNT_FACT_CLASS = 39,    /* number: the class of the command that a hook or handler is about */
    EXEUNT_FACT_OUTCOME = 40,  /* number: how it went: OK, FAILED, DENIED or ENDING; once it was tried */
    EXEUNT_FACT_EVENT_VERSION = 41 /* number: the version of a module's event that is delivered */
};

/* When a command hook runs. */
enum exeunt_phase {
    EXEUNT_PHASE_PRE = 1,  /* before the command is carried out; may deny it */
    EXEUNT_PHASE_POST = 2, /* after it was carried out, whether it succeeded or failed */
    EXEUNT_PHASE_LOG = 3   /* at last, for every command that was dispatched */
};

/* What kind of command it is; register_hook takes a sum of these. */
enum exeunt_class {
    EXEUNT_CLASS_READ = 1,  /* reads the content of files */
    EXEUNT_CLASS_WRITE = 2, /* changes files and folders */
    EXEUNT_CLASS_DIRS = 4,  /* lists folders, moves between them */
    EXEUNT_CLASS_AUTH = 8,  /* says or proves who the client is */
    EXEUNT_CLASS_INFO = 16, /* asks about the server or the session */
    EXEUNT_CLASS_MISC = 32  /* anything else */
};

/* What command_begin returns beside a status. */
enum exeunt_begun {
    EXEUNT_BEGUN_OWN = 0,    /* the protocol carries the command out, and then calls command_end */
    EXEUNT_BEGUN_HANDLED = 1 /* a module has carried it out; here is its reply */
};

/* What session_transfer is told. */
enum exeunt_transferring {
    EXEUNT_TRANSFERRING_NOTHING = 0, /* from now on the time without a transfer counts */
    EXEUNT_TRANSFERRING_MOVING = 1   /* one is going on, and has just moved */
};

/* Where an authenticator runs. */
enum exeunt_place {
    EXEUNT_PLACE_SESSION = 1 /* in the session, with its identity */
};

/* Where a listener for core.exit runs, for register_listener_with. */
enum exeunt_station {
    EXEUNT_STATION_SESSION = 1, /* in the session's process while that lives; else in a runner */
    EXEUNT_STATION_RUNNER = 2,  /* in a runner, a clean process with the session's identity */
    EXEUNT_STATION_ROOT = 3     /* in a runner with root's rights, if granted in modules.toml */
};

/* What an authenticator gives with `answer`; nothing given is UNKNOWN. */
enum exeunt_verdict {
    EXEUNT_VERDICT_UNKNOWN = 0,  /* it does not know the user: the next one is asked */
    EXEUNT_VERDICT_ACCEPTED = 1, /* it is the user; with the account: a table with `user`, perhaps */
                                 /* `home`, `root` (text) and `groups` (a list of texts) */
    EXEUNT_VERDICT_REJECTED = 2  /* it knows the user, and it is not them */
};

/* The kind of a value, as value_kind returns it and value_new takes it. */
enum exeunt_kind {
    EXEUNT_KIND_NULL = 0,  /* nothing */
    EXEUNT_KIND_BOOL = 1,  /* true or false */
    EXEUNT_KIND_INT = 2,   /* a whole number, 64 bits, signed */
    EXEUNT_KIND_FLOAT = 3, /* a floating point number, 64 bits */
    EXEUNT_KIND_STR = 4,   /* UTF-8 text */
    EXEUNT_KIND_BYTES = 5, /* bytes */
    EXEUNT_KIND_LIST = 6,  /* values in order */
    EXEUNT_KIND_TABLE = 7  /* values by name, in order */
};

/* How important a line of the log is. */
enum exeunt_level {
    EXEUNT_LEVEL_ERROR = 1, /* something failed that should not */
    EXEUNT_LEVEL_WARN = 2,  /* something is odd; the work goes on */
    EXEUNT_LEVEL_INFO = 3,  /* what an operator wants to read */
    EXEUNT_LEVEL_DEBUG = 4  /* what only a developer wants to read */
};

/* What to wait for on a descriptor; a sum of these. */
enum exeunt_interest {
    EXEUNT_READ = 1, /* it can be read, or is at its end */
    EXEUNT_WRITE = 2 /* it can be written */
};

/* The most bytes of a module's facts of a session. */
#define EXEUNT_STATE_MAX 256

/* -------------------------------------------------------------------------------------- data */

/* UTF-8 text that somebody else owns; a null pointer is "no text". Not terminated by a NUL. */
struct exeunt_str {
    const char *ptr;
    size_t len;
};

/* Bytes that somebody else owns; a null pointer is "no bytes". */
struct exeunt_bytes {
    const uint8_t *ptr;
    size_t len;
};

/* Names something that the host owns: a registrar, a value, a session, an end. */
struct exeunt_handle {
    uint32_t index;
    uint32_t generation; /* 0: the handle names nothing */
};

/* A function of the module that the host calls: the `user` given at registration, then what the
 * call is about. It returns EXEUNT_OK, or after a `fail` EXEUNT_FAILED or (connect, login)
 * EXEUNT_DENIED; EXEUNT_ENDING if a function of the host returned that. */
typedef int32_t (*exeunt_call)(void *user, struct exeunt_handle about);

/* A callback as it is registered. `call` must be a function of this module. `user` stays the
 * module's, may be null, and must stay valid for ever: modules are never unloaded. */
struct exeunt_callback {
    exeunt_call call;
    void *user;
};

/* A protocol, as register_protocol takes it; the host copies the struct and the refusal. */
struct exeunt_protocol {
    /* Serves a session from its first byte to its end. Required. */
    exeunt_call serve;
    /* Asked for the final reply when the session ends; may be null. The handle has the facts of
     * the end, and `farewell` may be called with it. */
    exeunt_call farewell;
    /* Passed to both. */
    void *user;
    /* Sent to a client that is turned away because the daemon is full; may be "no text". */
    struct exeunt_str refusal;
};

/* One descriptor that session_wait waits for. */
struct exeunt_waiting {
    int32_t fd;        /* the descriptor; it stays the caller's */
    uint32_t interest; /* a sum of exeunt_interest */
    uint32_t ready;    /* set by the host: what is ready; an error or hang-up sets all asked for */
};

/* ------------------------------------------------------------------------- the host's functions */

/* What the host offers. Init receives a pointer to it, which stays valid for ever; keep it in a
 * static variable. The struct is never written to, and grows only at its end. */
struct exeunt_host {
    uint32_t size;     /* in bytes: see EXEUNT_HAS */
    uint32_t major;    /* the host's version of the interface */
    uint32_t minor;
    uint32_t reserved0;

    /* [any] Logs a line: an exeunt_level, the text. The host adds time, module and session.
     * BAD_ARGUMENT: another level, text that is not UTF-8. */
    int32_t (*log)(uint32_t level, struct exeunt_str text);
    /* [any] Says why the running callback is about to return an error. The last text counts. */
    int32_t (*fail)(struct exeunt_str why);
    /* [init] Reports a problem at a value of the settings: the value, what is wrong, a hint or "no
     * text". All are collected and shown with file, line and column; init is then refused, whatever
     * it returns. BAD_HANDLE: not a value of the settings. */
    int32_t (*fail_at)(struct exeunt_handle value, struct exeunt_str what, struct exeunt_str hint);

    /* [any] The exeunt_kind of a value, or BAD_HANDLE. */
    int32_t (*value_kind)(struct exeunt_handle value);
    /* [any] 0 or 1; NONE if it is not a bool. */
    int32_t (*value_bool)(struct exeunt_handle value);
    /* [any] Writes the whole number; NONE, and nothing is written, if it is not one. */
    int32_t (*value_int)(struct exeunt_handle value, int64_t *to);
    /* [any] Writes the number, floating point or whole; else NONE. */
    int32_t (*value_float)(struct exeunt_handle value, double *to);
    /* [any] Writes the text; NONE if it is not text. The text is the host's. */
    int32_t (*value_str)(struct exeunt_handle value, struct exeunt_str *to);
    /* [any] Writes the bytes; NONE if it is not bytes. They are the host's. */
    int32_t (*value_bytes)(struct exeunt_handle value, struct exeunt_bytes *to);
    /* [any] The number of entries of a list or table; NONE for other kinds. */
    int64_t (*value_len)(struct exeunt_handle value);
    /* [any] The entry at an index of a list or table; names nothing beyond the end. */
    struct exeunt_handle (*value_at)(struct exeunt_handle value, uint64_t index);
    /* [any] Writes the name of the entry at an index of a table; else NONE. */
    int32_t (*value_key)(struct exeunt_handle value, uint64_t index, struct exeunt_str *to);
    /* [any] The entry with that name in a table; names nothing if there is none. */
    struct exeunt_handle (*value_get)(struct exeunt_handle value, struct exeunt_str name);
    /* [any] A new value: an exeunt_kind, then the number (bool, int), the floating point number, and
     * the text or bytes that belong to the kind; the others are ignored. The host owns it, until the
     * callback returns. Names nothing if the kind or the text is wrong. */
    struct exeunt_handle (*value_new)(int32_t kind, int64_t number, double floating,
                                      struct exeunt_bytes bytes);
    /* [any] Appends a value that value_new made to a list that value_new made; it then belongs to
     * the list. */
    int32_t (*value_push)(struct exeunt_handle list, struct exeunt_handle entry);
    /* [any] Puts a value under a name into a table that value_new made; an older one is replaced. */
    int32_t (*value_put)(struct exeunt_handle table, struct exeunt_str name,
                         struct exeunt_handle entry);

    /* [init] The module's settings: its [module.config], an empty table if there is none. Whether
     * the keys are known and right is for the module to check: see fail_at. */
    struct exeunt_handle (*settings)(struct exeunt_handle registrar);
    /* [init] Registers a listener: the event, the listener's name (unique in the module for the
     * event), the callback. Listeners run in the order of these calls, modules in the order of
     * modules.toml. Whatever is refused here is shown to the operator, and init with it, even if the
     * module does not look: BAD_ARGUMENT (a null function, a name with other characters than a-z 0-9
     * - _ .), FOREIGN_POINTER, DUPLICATE, TOO_BIG. */
    int32_t (*register_listener)(struct exeunt_handle registrar, struct exeunt_str event,
                                 struct exeunt_str name, struct exeunt_callback callback);
    /* [init] Registers a protocol under a name, for [[listen]] protocol = "...". */
    int32_t (*register_protocol)(struct exeunt_handle registrar, struct exeunt_str name,
                                 const struct exeunt_protocol *protocol);
    /* [init] The settings for the n-th listen of a protocol, in the order of modules.toml: the
     * module's own with the listen's `config` laid over. Names nothing beyond the last. */
    struct exeunt_handle (*listen_settings)(struct exeunt_handle registrar,
                                            struct exeunt_str protocol, uint32_t n);
    /* [init] Declares an event of the module's own, "module.what-happened", with a version. */
    int32_t (*declare_event)(struct exeunt_handle registrar, struct exeunt_str name,
                             uint32_t version);
    /* [init] Asks for room for the module's facts of each session: at most EXEUNT_STATE_MAX bytes,
     * once. They outlive the session's process. TOO_BIG, DUPLICATE. */
    int32_t (*register_state)(struct exeunt_handle registrar, uint32_t size);
    /* [init] Opens a folder (relative: to the folder of modules.toml) as the identity that init
     * runs with. Returns a descriptor that the host owns and every session has: never close it. On
     * FAILED the reason has been given with `fail`. */
    int32_t (*open_directory)(struct exeunt_handle registrar, struct exeunt_str path);

    /* [any] Writes an exeunt_fact that is text; NONE if there is none now. */
    int32_t (*fact_str)(struct exeunt_handle about, uint32_t fact, struct exeunt_str *to);
    /* [any] Writes an exeunt_fact that is a number; NONE if there is none now. */
    int32_t (*fact_int)(struct exeunt_handle about, uint32_t fact, int64_t *to);
    /* [any] What came with the event: a value, or names nothing. */
    struct exeunt_handle (*payload)(struct exeunt_handle about);
    /* [session, end] The living session that the call is about. Names nothing after the death of the
     * session's process: the listener then runs in another process, and only facts and state are
     * left. Every module must expect both. */
    struct exeunt_handle (*living)(struct exeunt_handle about);
    /* [session, end] Copies this module's facts of the session into a buffer of that size. Returns
     * their length, which may be more than the buffer holds; 0 if none were written; NONE if the
     * module did not ask for state. */
    int64_t (*state_read)(struct exeunt_handle about, uint8_t *to, size_t size);
    /* [session, end] Replaces this module's facts of the session. A death between the first and the
     * last byte leaves the old ones. TOO_BIG. */
    int32_t (*state_write)(struct exeunt_handle about, struct exeunt_bytes bytes);

    /* [session] Waits until one of the descriptors (at most 64) is ready or that many milliseconds
     * have passed (negative: no limit). Returns the number of ready ones, 0 at the timeout, ENDING
     * if the session is to end. All waiting of a module goes through here: a module that waits by
     * other means is ended by force. */
    int32_t (*session_wait)(struct exeunt_handle session, struct exeunt_waiting *on, size_t count,
                            int64_t milliseconds);
    /* [session] The descriptor of the client's connection, non-blocking. It stays the host's. */
    int32_t (*session_connection)(struct exeunt_handle session);
    /* [session] Reports bytes received and sent since the last report; resets the idle timeout. */
    int32_t (*session_count)(struct exeunt_handle session, uint64_t received, uint64_t sent);
    /* [session] Reports the command that is being served, and a path or "no text", for `exeunt who`
     * and the journal. Longer texts are cut. */
    int32_t (*session_command)(struct exeunt_handle session, struct exeunt_str command,
                               struct exeunt_str path);
    /* [session] The client has proved who it is: asks for its place and runs the core.login
     * listeners, once in a session. ENDING if a limit or a listener denies or the session is to end. */
    int32_t (*session_login)(struct exeunt_handle session, struct exeunt_str user);
    /* [session] The client failed to prove who it is: runs the core.login-failed listeners. Returns
     * the attempts that are left, or ENDING if there are none. */
    int32_t (*session_login_failed)(struct exeunt_handle session, struct exeunt_str user);
    /* [session] Commits the cause of the end, with a detail or "no text": "client-quit",
     * "client-eof", "client-reset", "bad-protocol" or "module-request". The first cause wins.
     * Returns ENDING: return it to the host. */
    int32_t (*session_end)(struct exeunt_handle session, struct exeunt_str cause,
                           struct exeunt_str detail);
    /* [session] Generates an event that this module declared, with a value or a handle that names
     * nothing. */
    int32_t (*generate)(struct exeunt_handle session, struct exeunt_str event,
                        struct exeunt_handle payload);
    /* [farewell] Gives the final reply. It is written without blocking, once. */
    int32_t (*farewell)(struct exeunt_handle end, struct exeunt_bytes bytes);

    /* [init] Registers a counter that all sessions share: its name and the names of its labels, at
     * most 4. Returns its number for counter_add. TOO_BIG, DUPLICATE. */
    int32_t (*register_counter)(struct exeunt_handle registrar, struct exeunt_str name,
                                const struct exeunt_str *labels, size_t count);
    /* [any but init] Adds to a counter of this module: its number, a value for each label (of which
     * 64 bytes count), how much. Of the combinations of values that come up, 64 are counted apart;
     * the others are counted together. */
    int32_t (*counter_add)(uint32_t counter, const struct exeunt_str *values, size_t count,
                           uint64_t more);
    /* [init] Registers a timer of sessions. In the callback the handle is that of the session in
     * which the timer was set. */
    int32_t (*register_timer)(struct exeunt_handle registrar, struct exeunt_str name,
                              struct exeunt_callback callback);
    /* [session] Sets a timer of this module: its callback is entered once, while the protocol waits,
     * when that many milliseconds have passed. Set again it is moved; a negative time takes it
     * back. */
    int32_t (*timer_set)(struct exeunt_handle session, struct exeunt_str name,
                         int64_t milliseconds);
    /* [init] Registers a command hook: an exeunt_phase, the verb or "no text" for all, the classes of
     * commands as a sum of bits or 0 for all, the hook's name. Hooks of a phase run in the order of
     * these calls. In the callback the handle has the facts of the command. */
    int32_t (*register_hook)(struct exeunt_handle registrar, uint32_t phase, struct exeunt_str verb,
                             uint32_t classes, struct exeunt_str name,
                             struct exeunt_callback callback);
    /* [init] Registers who carries out a verb in place of the protocol; a verb has one at most:
     * DUPLICATE. */
    int32_t (*register_command)(struct exeunt_handle registrar, struct exeunt_str verb,
                                struct exeunt_callback callback);
    /* [protocol] Begins a command: verb, argument or "no text", the bit of its class. Runs the hooks
     * of the phase `pre`. Returns an exeunt_begun; DENIED if a hook denies, FAILED if the module that
     * carries it out failed, both with the reply written; or ENDING. */
    int32_t (*command_begin)(struct exeunt_handle session, struct exeunt_str verb,
                             struct exeunt_str argument, uint32_t class_bit,
                             struct exeunt_str *reply);
    /* [protocol] Ends a command that the protocol carried out itself: how it went as a status, the
     * reply or "no text". Runs the hooks of the phases `post` and `log`. */
    int32_t (*command_end)(struct exeunt_handle session, int32_t outcome, struct exeunt_str reply);
    /* [command handler, authenticator, control action] Gives the callback's answer: a number, and a value that
     * value_new made or a handle that names nothing. A command handler gives 0 and the reply as
     * text, an authenticator an exeunt_verdict. */
    int32_t (*answer)(struct exeunt_handle about, int32_t number, struct exeunt_handle value);

    /* [init] Registers an authenticator: its name, the exeunt_place where it runs, the callback. They
     * are asked in the order of these calls; the first that knows the user decides. */
    int32_t (*register_authenticator)(struct exeunt_handle registrar, struct exeunt_str name,
                                      uint32_t place, struct exeunt_callback callback);
    /* [protocol] Asks the authenticators about a user and a secret. OK with the account written, a
     * table as in exeunt_verdict; DENIED if one rejects, NONE if none knows the user. */
    int32_t (*authenticate)(struct exeunt_handle session, struct exeunt_str user,
                            struct exeunt_str secret, struct exeunt_handle *account);
    /* [init] Opens a file to be read, as open_directory does a directory. */
    int32_t (*open_file)(struct exeunt_handle registrar, struct exeunt_str path);
    /* [init] Registers a control action, which operators call with `exeunt ctl`. In the callback the
     * payload is the list of its arguments, texts; its reply is given with `answer`: 0 and any
     * value. It runs in a process of its own, without the daemon's privileges. */
    int32_t (*register_control)(struct exeunt_handle registrar, struct exeunt_str action,
                                struct exeunt_callback callback);
    /* [init] Registers a listener as register_listener does, with wishes: where it runs (one of
     * EXEUNT_STATION_*), how often at most (1 to 8: again after each failure), for how many
     * milliseconds at most (0: as long as any). Place and attempts only where an end or the daemon's
     * own events are listened for. */
    int32_t (*register_listener_with)(struct exeunt_handle registrar, struct exeunt_str event,
                                      struct exeunt_str name, struct exeunt_callback callback,
                                      uint32_t place, uint32_t attempts, uint64_t milliseconds);

    /* [session] Says whether something is transferred: EXEUNT_TRANSFERRING_MOVING when a transfer begins
     * and whenever it has moved, EXEUNT_TRANSFERRING_NOTHING when it has ended, and once when the client
     * is expected to transfer something. While something is transferred the timeout `stalled` counts,
     * in place of `idle`; else `no_transfer`. Who never says it has neither. */
    int32_t (*session_transfer)(struct exeunt_handle session, uint32_t state);
    /* Null. */
    const void *reserved;
};

/* Whether this host has a function: EXEUNT_HAS(host, farewell). Only functions that are newer than
 * the version that the module needs have to be asked for. */
#define EXEUNT_HAS(host, function)                                                                 \
    ((host)->size >= offsetof(struct exeunt_host, function) + sizeof((host)->function))

/* ------------------------------------------------------------------------- what a module exports */

/* The first eight bytes of a struct exeunt_module. */
#define EXEUNT_MAGIC UINT64_C(0x657865756e740a01)

/* What the host looks for under the symbol `exeunt_module`; EXEUNT_MODULE writes it. */
struct exeunt_module {
    uint64_t magic;            /* EXEUNT_MAGIC */
    uint32_t size;             /* sizeof(struct exeunt_module) */
    uint32_t major;            /* EXEUNT_MAJOR */
    uint32_t minor;            /* EXEUNT_MINOR */
    uint32_t reserved;         /* 0 */
    struct exeunt_str name;    /* a-z 0-9 _, at most 32; `name` in modules.toml */
    struct exeunt_str version; /* the module's own version */
    /* Called once in each process that loads the module, before anything else of it: the host's
     * functions and the registrar, whose handle dies when init returns. Reads its settings and
     * registers; changes nothing outside the process, and leaves no thread, descriptor or signal
     * handler behind. Runs as root if the daemon does. */
    int32_t (*init)(const struct exeunt_host *host, struct exeunt_handle registrar);
};

#define EXEUNT_STRING_(what) #what
#define EXEUNT_STRING(what) EXEUNT_STRING_(what)

#if defined(__clang__)
#define EXEUNT_COMPILER __VERSION__
#else
#define EXEUNT_COMPILER "gcc " __VERSION__
#endif

/* The text of the module's ELF note, which the host and `exeunt module info` read without running
 * any code of the module. */
#define EXEUNT_NOTE_TEXT(name, version, schema)                                                    \
    "abi=" EXEUNT_STRING(EXEUNT_MAJOR) "." EXEUNT_STRING(EXEUNT_MINOR) "\nname=" name              \
    "\nversion=" version "\ncompiler=" EXEUNT_COMPILER "\nschema=" schema "\n"

/* Makes the file a module: exports struct exeunt_module and the ELF note. Once in a module, at the
 * top level of one file. `name` and `version` are string literals, `init` a function. */
#define EXEUNT_MODULE(name, version, init) EXEUNT_MODULE_WITH_SCHEMA(name, version, "{}", init)

/* The same with a description of the settings, a string literal of JSON:
 * {"fields":[{"name":"greeting","type":"text","required":false,"default":"hello","secret":false,
 * "doc":"What to say."}]}. Types: bool integer float text path duration list map table choice. */
#define EXEUNT_MODULE_WITH_SCHEMA(name, version, schema, init)                                     \
    __attribute__((section(".note.exeunt"), used, aligned(4))) static const struct {               \
        uint32_t name_size, text_size, kind;                                                       \
        char owner[8];                                                                             \
        char text[(sizeof(EXEUNT_NOTE_TEXT(name, version, schema)) + 3) / 4 * 4];                  \
    } exeunt_note = {7, sizeof(exeunt_note.text), 1, "exeunt",                                     \
                     EXEUNT_NOTE_TEXT(name, version, schema)};                                     \
    EXEUNT_EXTERN __attribute__((visibility("default"), used))                                     \
    const struct exeunt_module exeunt_module = {                                                   \
        EXEUNT_MAGIC, sizeof(struct exeunt_module), EXEUNT_MAJOR, EXEUNT_MINOR, 0,                 \
        {name, sizeof(name) - 1}, {version, sizeof(version) - 1}, init}

#ifdef __cplusplus
#define EXEUNT_EXTERN extern "C"
#else
#define EXEUNT_EXTERN
#endif

/* -------------------------------------------------------------------------------- small helpers */

/* Lends a C string; "no text" for a null pointer. */
static inline struct exeunt_str exeunt_text(const char *text)
{
    struct exeunt_str str = {text, text ? strlen(text) : 0};
    return str;
}

/* Lends bytes. */
static inline struct exeunt_bytes exeunt_data(const void *data, size_t len)
{
    struct exeunt_bytes bytes = {(const uint8_t *)data, len};
    return bytes;
}

/* The callback of that function. */
static inline struct exeunt_callback exeunt_callback_of(exeunt_call call, void *user)
{
    struct exeunt_callback callback = {call, user};
    return callback;
}

/* Whether the handle names nothing. */
static inline int exeunt_is_none(struct exeunt_handle handle)
{
    return handle.generation == 0;
}

/* Whether the text is that of a C string. */
static inline int exeunt_equal(struct exeunt_str str, const char *text)
{
    return str.ptr && str.len == strlen(text) && memcmp(str.ptr, text, str.len) == 0;
}

/* ----------------------------------------------------------- the layout, as the host sees it too */

EXEUNT_ASSERT(sizeof(struct exeunt_str) == 2 * sizeof(void *), "layout of exeunt_str");
EXEUNT_ASSERT(sizeof(struct exeunt_bytes) == 2 * sizeof(void *), "layout of exeunt_bytes");
EXEUNT_ASSERT(sizeof(struct exeunt_handle) == 8, "layout of exeunt_handle");
EXEUNT_ASSERT(sizeof(struct exeunt_callback) == 2 * sizeof(void *), "layout of exeunt_callback");
EXEUNT_ASSERT(sizeof(struct exeunt_protocol) == 5 * sizeof(void *), "layout of exeunt_protocol");
EXEUNT_ASSERT(sizeof(struct exeunt_waiting) == 12, "layout of exeunt_waiting");
EXEUNT_ASSERT(offsetof(struct exeunt_host, log) == 16, "layout of exeunt_host");
EXEUNT_ASSERT(offsetof(struct exeunt_host, settings) == 16 + 16 * sizeof(void *),
              "layout of exeunt_host");
EXEUNT_ASSERT(offsetof(struct exeunt_host, farewell) == 16 + 37 * sizeof(void *),
              "layout of exeunt_host");
EXEUNT_ASSERT(offsetof(struct exeunt_module, name) == 24, "layout of exeunt_module");
EXEUNT_ASSERT(offsetof(struct exeunt_module, init) == 24 + 4 * sizeof(void *),
              "layout of exeunt_module");
EXEUNT_ASSERT(sizeof(struct exeunt_module) == 24 + 5 * sizeof(void *), "layout of exeunt_module");

#ifdef __cplusplus
}
#endif

#endif
