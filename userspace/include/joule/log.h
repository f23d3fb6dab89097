/* SPDX-License-Identifier: MIT */
/*
 * Where messages go. libjoule never prints: each error is logged once, where
 * it is born, through this callback, and then travels as a negative errno.
 */
#ifndef JOULE_LOG_H
#define JOULE_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

enum joule_log_level {
	JOULE_LOG_ERROR, /* the call that logs it fails */
	JOULE_LOG_WARN,  /* the call goes on, a person should know */
	JOULE_LOG_INFO,
	JOULE_LOG_DEBUG,
};

/*
 * fn: called with one line without a newline; msg is valid during the call
 * only. May be called from any thread that uses the context, several at once.
 * NULL: messages are dropped. user: handed through. level: the most talkative
 * level that is passed on.
 */
struct joule_log {
	void (*fn)(void *user, enum joule_log_level level, const char *msg);
	void *user;
	enum joule_log_level level;
};

#ifdef __cplusplus
}
#endif

#endif
