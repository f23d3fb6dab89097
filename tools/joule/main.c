// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "tool.h"

static const struct tool_command *const commands[] = {
	&tool_run, &tool_bench, &tool_profile, &tool_inspect, &tool_verify, &tool_diverge,
	&tool_devices,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void overview(FILE *to)
{
	fprintf(to, "joule runs neural networks on edge Linux boards and shows where the time goes.\n"
		    "\nUsage: joule COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to, "\njoule COMMAND --help tells more; joule --version prints %s.\n",
		joule_version());
}

static const struct tool_command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct tool_command *command;
	char name[32];
	int ret;

	if (argc < 2) {
		overview(stderr);
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("joule %s\n", joule_version());
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2)) {
		overview(stdout);
		return TOOL_OK;
	}
	if (!strcmp(argv[1], "help") && find(argv[2])) {
		command = find(argv[2]);
		printf("Usage: joule %s %s\n\n%s.\n\n%s", command->name, command->arguments,
		       command->summary, command->help);
		return TOOL_OK;
	}
	command = find(argv[1]);
	if (!command) {
		tool_error("there is no command '%s' (joule --help lists them)", argv[1]);
		return TOOL_USAGE;
	}
	/* getopt_long() puts this before its messages. */
	snprintf(name, sizeof(name), "joule %s", command->name);
	argv[1] = name;
	ret = command->run(argc - 1, argv + 1);
	/* A full disk shows when buffered output is written out. */
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		tool_error("standard output: %s", errno ? strerror(errno) : "cannot be written");
		return ret > 0 ? ret : TOOL_IO;
	}
	return ret < 0 ? TOOL_OK : ret;
}
