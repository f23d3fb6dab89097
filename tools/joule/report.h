/* SPDX-License-Identifier: MIT */
/* The profile as one self-contained HTML file: graph, timeline, tables. */
#ifndef TOOLS_JOULE_REPORT_H
#define TOOLS_JOULE_REPORT_H

#include "tool.h"

/* Written whole or not at all. peak may be NULL. Exit code. */
int report_write(const char *path, const char *model_path, const struct tool_model *m,
		 struct joule_session *session, const struct joule_profile *profile,
		 const struct joule_device_peak *peak);

#endif
