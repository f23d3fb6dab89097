// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

/* What a signal handler can reach. */
static int stop_pipe[2] = { -1, -1 };
static volatile sig_atomic_t stopped;

void run_stop(void)
{
	int err = errno;

	/* The byte stays there, so that whoever waits later finds it too. */
	if (write(stop_pipe[1], "", 1) < 0)
		errno = err;
}

static void on_signal(int number)
{
	stopped = 1;
	run_stop();
}

int run_catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal,
				 .sa_flags = (int)(SA_RESTART | SA_RESETHAND) };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK)) {
		tool_error("pipe: %s", strerror(errno));
		return TOOL_IO;
	}
	sigemptyset(&act.sa_mask);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	return 0;
}

int run_stop_fd(void)
{
	return stop_pipe[0];
}

bool run_stopped(void)
{
	return stopped;
}
