// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "table.h"
#include "tool.h"

static const struct table_column columns[] = {
	{ "id", "ID", false },
	{ "name", "NAME", false },
	{ "type", "TYPE", false },
	{ "driver", "DRIVER", false },
	{ "memory_bytes", "MEMORY", true },
	{ "subgroup_size", "SUBGROUP", true },
	{ "features", "FEATURES", false },
	{ "usable", "USABLE", false },
};

static int add(struct table *table, const struct joule_device_info *d, bool human)
{
	if (table_row(table))
		return -1;
	table_set(table, "id", "%s", d->id);
	table_set(table, "name", "%s", d->name);
	table_set(table, "type", "%s", d->type);
	table_set(table, "driver", "%s", d->driver);
	if (d->memory_bytes && human)
		table_set(table, "memory_bytes", "%.1f GiB", (double)d->memory_bytes / 0x1p30);
	else if (d->memory_bytes)
		table_set(table, "memory_bytes", "%llu", (unsigned long long)d->memory_bytes);
	if (d->subgroup_size)
		table_set(table, "subgroup_size", "%u", d->subgroup_size);
	table_set(table, "features", "%s%s%s%s", d->f16_storage ? "f16 " : "",
		  d->f16_arithmetic ? "f16-math " : "", d->i8_storage ? "i8 " : "",
		  d->integer_dot ? "int-dot" : "");
	table_set(table, "usable", "%s", d->usable ? "yes" : d->reason);
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		TOOL_LONG_OPTIONS,
		{ "format", required_argument, NULL, 'f' },
		{ 0 },
	};
	enum table_format format = TABLE_TEXT;
	struct tool_options options = { 0 };
	struct joule_context *context;
	struct joule_device_info *list;
	struct table *table;
	int opt, ret, n;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		if (opt == 'f' && !table_format_parse(optarg, &format))
			continue;
		ret = opt == 'f' ? tool_usage(&tool_devices, "no format '%s'", optarg) :
				   tool_option(&tool_devices, &options, opt);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return tool_usage(&tool_devices, "unexpected argument '%s'", argv[optind]);
	ret = tool_context(&options, &context);
	if (ret)
		return ret;
	n = joule_device_list(context, NULL, 0);
	list = calloc((size_t)(n > 0 ? n : 1), sizeof(*list));
	table = table_create(columns, sizeof(columns) / sizeof(columns[0]));
	if (list && table) {
		n = joule_device_list(context, list, n);
		for (int i = 0; i < n; i++)
			add(table, &list[i], format == TABLE_TEXT || format == TABLE_MARKDOWN);
		ret = tool_exit_code(table_print(table, format, "joule.devices/1", stdout));
	} else {
		ret = TOOL_NO_MEMORY;
	}
	table_destroy(table);
	free(list);
	joule_context_destroy(context);
	return ret;
}

const struct tool_command tool_devices = {
	.name = "devices",
	.arguments = "[--format text|md|csv|json]",
	.summary = "Lists what models can run on",
	.help = "  --format F         text (default), md, csv, json\n"
		"  --validation, --verbose, --quiet\n",
	.run = run,
};
