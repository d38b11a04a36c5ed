"""Settings that anybody may set and that change how PostgreSQL reads, plans or writes a statement: the story must come
out the same under all of them at once.
"""

from __future__ import annotations

import search_path
from logins import Logins, state_of
from support.harness import Checks

SETTINGS = {
    "DateStyle": "SQL, DMY", "IntervalStyle": "sql_standard", "TimeZone": "Asia/Kathmandu", "extra_float_digits": "-15",
    "bytea_output": "escape", "lc_numeric": "C", "array_nulls": "off", "transform_null_equals": "on",
    "quote_all_identifiers": "on", "standard_conforming_strings": "off", "escape_string_warning": "off",
    "backslash_quote": "on", "plan_cache_mode": "force_custom_plan", "from_collapse_limit": "1",
    "join_collapse_limit": "1", "geqo_threshold": "2", "enable_indexscan": "off", "enable_bitmapscan": "off",
    "enable_hashagg": "off", "enable_hashjoin": "off", "enable_material": "off", "work_mem": "64kB",
    "cursor_tuple_fraction": "0.001", "row_security": "off", "check_function_bodies": "off",
    "synchronous_commit": "off",
    "parallel_setup_cost": "0", "parallel_tuple_cost": "0", "min_parallel_table_scan_size": "0",
    "min_parallel_index_scan_size": "0", "force_parallel_mode": "on", "debug_parallel_query": "on",
    "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
    "jit": "off",  # where every way is switched off the cost is so high that each statement would be compiled
}  # fmt: skip


def check(checks: Checks, logins: Logins) -> None:
    plain = search_path.told(logins.owner, logins, "zoe_20")
    with logins.connect("mallory") as connection:
        # The two names of one setting: each version has one of them.
        states = {name: state_of(connection, f"SET {name} = '{value}'") for name, value in SETTINGS.items()}
        unknown = [name for name, state in states.items() if state != "00000"]
        checks.check(len(unknown) == 1 and "parallel" in unknown[0], f"{len(SETTINGS) - 1} settings are set", unknown)
        search_path.check_same(checks, plain, search_path.tell(logins.owner, connection, "zoe_21"), "under all of them")
