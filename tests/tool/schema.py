# SPDX-License-Identifier: MIT
"""schema.py FILE SCHEMA KEY...: FILE is JSON of that schema, each row has the keys.

KEY=number, KEY=string: and is of that type in every row.
"""
import json
import sys

path, schema, keys = sys.argv[1], sys.argv[2], sys.argv[3:]
data = json.load(open(path, encoding="utf-8"), parse_constant=lambda c: sys.exit(f"{c} is not JSON"))
if data["schema"] != schema:
    sys.exit(f"{path}: schema {data['schema']}, not {schema}")
rows = data.get("rows", data.get("results"))
if not rows:
    sys.exit(f"{path}: no rows")
for row in rows:
    for key in keys:
        name, _, kind = key.partition("=")
        if name not in row:
            sys.exit(f"{path}: no {name} in {row}")
        want = {"number": (int, float), "string": str, "list": list}.get(kind, object)
        if not isinstance(row[name], want):
            sys.exit(f"{path}: {name} is {row[name]!r}, not a {kind}")
