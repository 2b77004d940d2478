"""
All options: the default, the type and one sentence about each.

Salt processes read them from the mapping ``cmdb:`` in their configuration; on a
minion the pillar overrides the configuration file. The web process reads them
from the YAML file that ``CMDB_SETTINGS`` names; ``CMDB_*`` variables override
the file. ``./dev docs`` generates ``docs/configuration.md`` from this file.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping

from salt_ext import facts
from salt_ext.facts.clean import section_of
from salt_ext.words.durations import seconds
from salt_ext.words.nearest import unknown

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: the grain imports this file
if TYPE_CHECKING:
    from typing import Any

Option = namedtuple("Option", "default type where help least", defaults=(1,))
"""``least`` is the smallest value that a whole number may have."""

OPTIONS: dict[str, Option] = {
    "database_url": Option(
        "postgresql+psycopg2:///cmdb",
        str,
        "master, web",
        "Where the store is. Several hosts after one another, separated by commas in a `host=`"
        " parameter, are tried in turn. Only the master and the web process need it.",
    ),
    "database_read_url": Option(
        "",
        str,
        "master, web",
        "Where reads go when not to `database_url`: a replica, or a role that may only read.",
    ),
    "root": Option(
        "/", str, "minion", "The directory that is the machine: `/`, or a captured tree to replay."
    ),
    "collectors": Option(
        facts.COLLECTORS,
        dict,
        "minion",
        "Section of the facts: dotted path of the collector that fills it. What is given here is"
        " laid over the default; a null switches a section off.",
    ),
    "deadline_seconds": Option(
        facts.DEADLINE_SECONDS,
        int,
        "minion",
        "After this time a run of the collectors ends with what it has.",
    ),
    "slow_collectors": Option(
        facts.SLOW_COLLECTORS,
        dict,
        "minion",
        "As `collectors`, for what touches hardware, starts tools or asks a network: each runs in"
        " a process of its own, and only for reports, not for the grain.",
    ),
    "commands": Option(
        {},
        dict,
        "minion",
        "Section of the facts: the `command` that tells of it, with the `parser` of its output"
        " (`json`, `key=value`, or `regex` with a `pattern`) and the fields that are `numbers` or"
        " `volatile`. Run as slow collectors are; see docs/collectors.md.",
    ),
    "slow_interval": Option(
        "6h",
        "duration",
        "minion",
        "What a slow collector has found is used again for this long, until the next boot.",
    ),
    "slow_deadline_seconds": Option(
        facts.SLOW_DEADLINE_SECONDS,
        int,
        "minion",
        "After this time a slow collector is ended, or left behind.",
    ),
    "location": Option(
        {},
        dict,
        "minion",
        "Where the machine is, in your words: `site`, `room`, `rack`, `unit`. Best kept in pillar.",
    ),
    "name_file": Option(
        "",
        str,
        "minion",
        "The file in which a minion keeps the name that the master knows it by and what proves"
        " it, so that a rename is believed at once; `cmdb/name` below the minion's `cachedir` when"
        " empty.",
    ),
    "sweep_seconds": Option(
        5,
        int,
        "master",
        "How often the engine looks through the master's cache for reports; an event that hints"
        " at a new report makes it look at once.",
        least=0,
    ),
    "batch_size": Option(100, int, "master", "How many reports one transaction holds at most."),
    "max_report_bytes": Option(
        4 << 20,
        int,
        "master",
        "A larger report is refused. So is one that makes what is known of its machine larger, as"
        " reports in part can. No honest machine comes near the limits `max_...` and"
        " `..._per_hour`; see docs/operations.md.",
        least=64 << 10,
    ),
    "max_components": Option(
        20_000,
        int,
        "master",
        "A report of more components (disks, memory modules, interfaces and so on) is refused.",
        least=100,
    ),
    "max_identifiers": Option(
        1000, int, "master", "A report that shows more identifiers is refused.", least=20
    ),
    "max_changes": Option(
        20_000,
        int,
        "master",
        "A report that changes more than this at once is refused.",
        least=100,
    ),
    "max_errors": Option(
        100, int, "master", "Of one report's errors of collectors only so many are kept."
    ),
    "max_error_bytes": Option(
        512 << 10,
        int,
        "master",
        "The messages and tracebacks that are kept of one report's errors, all together.",
        least=1024,
    ),
    "changes_per_hour": Option(
        20_000,
        int,
        "master",
        "When the reports of a machine have written so many rows of history within an hour, its"
        " next one waits until that hour is over; of those that wait the latest is stored.",
        least=100,
    ),
    "bytes_per_hour": Option(
        8 << 20,
        int,
        "master",
        "As `changes_per_hour`, for the bytes that are written into the database.",
        least=64 << 10,
    ),
    "modes": Option(
        {"salt": "salt_ext.collect.salt.plan", "ssh": "salt_ext.collect.ssh.plan"},
        dict,
        "master",
        "Ways of `cmdb.collect` to ask machines: the name of each and the dotted path of its"
        " function. What is given here is laid over the default; a null switches a mode off."
        " Reports in these modes are taken, those in others refused.",
    ),
    "report_hooks": Option(
        [],
        list,
        "master",
        "Dotted paths of your functions that are called with each checked report before it is"
        " stored, and may refuse or amend it; see docs/collecting.md.",
    ),
    "collect_batch": Option(
        100, int, "master", "How many minions `cmdb.collect` asks at a time, unless told otherwise."
    ),
    "collect_workers": Option(
        16, int, "master", "How many machines `cmdb.collect` logs in to at a time by ssh."
    ),
    "collect_timeout_seconds": Option(
        60, int, "master", "How long `cmdb.collect` waits for one machine."
    ),
    "roster_filters": Option(
        {},
        dict,
        "master",
        "Which machines the roster `cmdb` has, as filters of the list: `{site: fra1}`. Without one"
        " on `lifecycle` or `freshness`, retired, detached and missing machines are left out.",
    ),
    "nodegroups": Option(
        {},
        dict,
        "master, web",
        "Node groups of Salt by name, each as filters of the list (`{list.role: web}`) or as what"
        " the search box takes (`site:fra1 -os:debian`); `cmdb.inventory nodegroups` writes them,"
        " see docs/salt.md.",
    ),
    "stale_after": Option(
        "2h",
        "duration",
        "master, web",
        "A machine that was silent this long is stale: twice the interval of its schedule is"
        " a good value.",
    ),
    "missing_after": Option(
        "7d",
        "duration",
        "master, web",
        "A machine that was silent this long is missing; of a source that was, a poorer one"
        " takes over.",
    ),
    "rename_grace": Option(
        "1d",
        "duration",
        "master",
        "A machine seen under a new name takes it without asking when its old name was silent"
        " this long.",
    ),
    "events": Option(
        [
            *("changed", "new", "renamed", "held", "problem", "stale", "missing", "returned"),
            *("lifecycle", "lost", "found", "deleted", "installed"),
        ],
        list,
        "master",
        "What the engine tells on Salt's event bus, as `salt/cmdb/<kind>/<asset id>`; an empty"
        " list for nothing.",
    ),
    "reactions_per_hour": Option(
        5,
        int,
        "master",
        "To so many machines within an hour `cmdb.brake` permits something that hurts, whichever"
        " reaction asks; see docs/orchestration.md.",
        least=0,
    ),
    "reaction_group": Option(
        "rack",
        str,
        "master",
        "The field of the list, such as `rack` or `list.cluster`, by which `cmdb.brake` permits"
        " nothing that hurts two machines of one group at a time. Racks of two sites or rooms are"
        " two groups, whatever they are called. Machines without a value are a group too. Empty:"
        " there are no groups.",
    ),
    "wave_machines": Option(
        10,
        int,
        "master",
        "When more machines than so many lose parts of one kind within `wave_interval`, nothing is"
        " permitted by `cmdb.brake` until a person has looked: a collector is likely broken.",
    ),
    "wave_interval": Option(
        "1h",
        "duration",
        "master",
        "See `wave_machines`.",
    ),
    "pushes": Option(
        {},
        dict,
        "master",
        "What `cmdb.push` writes into other systems, by a name of yours: the `system` (`netbox` or"
        " `zabbix`), its `url` and a `token`, which may be an `sdb://` URI; `filters` of the"
        " machines; and options. See docs/pushes.md.",
    ),
    "clouds": Option(
        {},
        dict,
        "master",
        "The clouds that `cmdb.cloud` compares with the machines, by a name of yours: the `driver`"
        " (`openstack`, `ec2`, `libvirt`, or the dotted path of a function of yours) and its"
        " options; secrets may be `sdb://` URIs. See docs/clouds.md.",
    ),
    "webhooks": Option(
        {},
        dict,
        "master",
        "Programs that are told of events by HTTP: the name of each, with its `url`, its `secret`"
        " and which events it is to have; see docs/webhooks.md. A null takes one away.",
    ),
    "reports": Option(
        {
            "small-memory": {
                "title": "Servers with the least memory",
                "query": "kind=physical&_col=minion_id,sn,product_name,memory_bytes,site,rack"
                "&_sort=memory_bytes",
            },
            "newest": {
                "title": "What came last",
                "query": "_col=minion_id,sn,product_name,site,rack,first_seen&_sort=-first_seen",
            },
            "without-place": {
                "title": "Machines of which nobody says where they stand",
                "query": "kind=physical&site__isnull=true",
            },
            "systems": {"title": "Operating systems", "group_by": "os"},
            "capacity": {"title": "Capacity of each site", "group_by": "site"},
        },
        dict,
        "web",
        "Questions that people ask again and again, each a link of the page `/reports`: its"
        " `title`, and the `query` of a list as it stands in an address, or `group_by`, fields"
        " with commas, to count. Laid over the default; a null takes one away.",
    ),
    "provisioner_url": Option(
        "",
        str,
        "master",
        "Where the machines reach the process that serves installations, such as"
        " `http://10.0.0.1:8480`: `cmdb.provision` tells it with what to do next.",
    ),
    "provision_profiles": Option(
        {},
        dict,
        "provisioner",
        "What can be installed, by the name that plans have as `profile`: the `installer`, its"
        " `kernel` and `initrd`, and more; see docs/provisioning.md.",
    ),
    "provision_templates": Option(
        "",
        str,
        "provisioner",
        "A folder with a site's own templates of what installers get, which go before ours.",
    ),
    "provision_key_file": Option(
        "/var/lib/salt-cmdb-provisioner/provision.key",
        str,
        "provisioner",
        "The file with the key that makes the tokens of installations. Made when it is not there;"
        " all workers, on all hosts, need the same one.",
    ),
    "language": Option(
        "",
        str,
        "web",
        "The language of the pages: `en` or `zh-CN`; when empty, the one that each browser asks"
        " for.",
    ),
    "cache_seconds": Option(
        30,
        int,
        "web",
        "How long a page that many look at, such as the overview, may be kept; it shows its age."
        " 0 keeps nothing.",
        least=0,
    ),
    "login": Option(
        {},
        dict,
        "web",
        "How people log in to the web UI: `users`, `header` and `oidc`, each with options of its"
        " own; see docs/web/access.md. Without any it answers programs with a token, and requests"
        " of its own machine.",
    ),
    "auditors": Option(
        [],
        list,
        "web",
        "Who sees `hidden_fields` too: names of people who log in, and `%group` for all of a group"
        " that a proxy's header or OIDC tells. All others are viewers.",
    ),
    "public_url": Option(
        "",
        str,
        "web",
        "Where people find the web UI, such as `https://cmdb.example.net`; OIDC needs it. With"
        " https the cookie is sent over https alone.",
    ),
    "session_key_file": Option(
        "/var/lib/salt-cmdb/session.key",
        str,
        "web",
        "The file with the key that signs the cookies of those who log in by `users` or `oidc`."
        " Made when it is not there; all workers, on all hosts, need the same one.",
    ),
    "session_lifetime": Option(
        "12h", "duration", "web", "So long after logging in one must log in again."
    ),
    "access_log": Option(
        "-",
        str,
        "web",
        "Where each request becomes a line of JSON: a file, `-` for standard output, empty for"
        " nowhere.",
    ),
    "timezone": Option(
        "UTC",
        "time zone",
        "master, web",
        "In which zone people read times, in tables, workbooks and on pages, and write them"
        " (`since=2026-11-01`): a name of IANA's list such as `Europe/Berlin`. JSON and events"
        " are always in UTC.",
    ),
    "hidden_fields": Option(
        [],
        list,
        "web",
        "What only the role `auditor` sees: fields of the list (`sn`, `list.owner`), fields of"
        " the facts (`disks.serial_number`, `system.uuid`) and whole sections (`bmc`), and with"
        " each all that tells the same; see docs/web/access.md.",
    ),
    "keep_problems": Option(
        "90d",
        "duration",
        "master",
        "Problems that are over, and rejected reports, are kept this long; then `cmdb.maintain`"
        " removes them. History is kept for ever.",
    ),
}


LONGEST_NAME = 40
FILL_SECTIONS = ("collectors", "slow_collectors", "commands")
"""Options whose keys are sections of the facts."""

SECRETS = ("clouds", "database_url", "database_read_url", "login", "pushes", "webhooks")
"""Options whose value may hold a password, a token, or the hash of one."""


class SettingsError(ValueError):
    """A setting that does not exist or has a value it cannot have."""


class Settings(dict):  # type: ignore[type-arg]
    """Every option's value by name, and in ``sources`` where each one came from."""

    sources: dict[str, str]


def resolve(*layers: tuple[str, Mapping[str, Any]]) -> Settings:
    """
    Lay ``(source, values)`` pairs over the defaults, the last one on top.

    Mappings are laid over key by key. Raises :class:`SettingsError`.
    """
    settings = Settings({name: option.default for name, option in OPTIONS.items()})
    settings.sources = dict.fromkeys(OPTIONS, "default")
    for source, values in layers:
        if not isinstance(values, Mapping):
            raise SettingsError(f"{source}: `cmdb` is {type(values).__name__}, not a mapping")
        for name, value in values.items():
            if name not in OPTIONS:
                # A colon that was forgotten makes a name of a whole URL.
                known = unknown("setting", name if _is_name(name) else "(not shown)", OPTIONS)
                raise SettingsError(f"{source}: {known}")
            value = _checked(source, name, value)
            if isinstance(value, dict):
                value = {**settings[name], **value}
            settings[name] = value
            settings.sources[name] = source
    for name, option in OPTIONS.items():
        if option.type == "duration":
            settings[name] = seconds(settings[name])
    settings["hidden_fields"] = _hidden(settings)
    for name in FILL_SECTIONS:
        if settings["location"] and settings[name].get("location"):
            where = settings.sources[name]
            raise SettingsError(f"{where}: {name}: location is what the setting location says")
    return settings


def from_opts(opts: Mapping[str, Any]) -> Settings:
    """Return the settings of a Salt process, from its ``__opts__``."""
    layers = [("configuration", opts.get("cmdb") or {})]
    pillar = (opts.get("pillar") or {}).get("cmdb")
    if pillar:
        layers.append(("pillar", pillar))
    return resolve(*layers)


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Return the settings of the web process, from its environment."""
    layers: list[tuple[str, Mapping[str, Any]]] = []
    path = environ.get("CMDB_SETTINGS")
    if path:
        layers.append((path, _file(path)))
    variables: dict[str, Any] = {}
    for variable, value in environ.items():
        name = variable[5:].lower()
        if not variable.startswith("CMDB_") or name == "settings":
            continue
        if name in OPTIONS and OPTIONS[name].type is dict:
            raise SettingsError(f"{variable}: a mapping can be given in CMDB_SETTINGS's file only")
        integer = name in OPTIONS and OPTIONS[name].type is int and value.isdigit()
        variables[name] = int(value) if integer else value
    return resolve(*layers, ("environment", variables))


def _is_name(name: object) -> bool:
    return str(name).isidentifier() and len(str(name)) <= LONGEST_NAME


def _checked(source: str, name: str, value: Any) -> Any:
    kind = OPTIONS[name].type
    if kind == "duration":
        try:
            is_past = seconds(value) < 0
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{source}: {name}: {error}") from None
        if is_past:
            raise SettingsError(f"{source}: {name} is {value!r}, but it must not be negative")
        return value
    if kind == "time zone":
        from salt_ext.words.times import zone_of  # not at the top: a minion needs no zone

        try:
            zone_of(str(value))
        except ValueError as error:
            raise SettingsError(f"{source}: {name}: {error}") from None
        return value
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {str: "a text", int: "a whole number", dict: "a mapping", list: "a list"}[kind]
        # Whatever a secret is written as, it is not shown.
        shown = type(value).__name__ if name in SECRETS else repr(value)
        raise SettingsError(f"{source}: {name} is {shown}, but it must be {words}")
    if name in FILL_SECTIONS:
        _check_sections(source, name, value)
    if name == "nodegroups":
        for group, asked in value.items():
            if not isinstance(asked, (str, Mapping)):
                raise SettingsError(
                    f"{source}: nodegroups: {group} is {asked!r}, but it must be filters or a text"
                )
    if name == "location":
        try:
            section_of(value)
        except (TypeError, ValueError) as error:
            raise SettingsError(f"{source}: location cannot be reported: {error}") from None
    least = OPTIONS[name].least
    if kind is int and value < least:
        raise SettingsError(f"{source}: {name} is {value}, but it must be at least {least}")
    return value


def _hidden(settings: Settings) -> list[str]:
    """Return the names of hidden fields as the facts and the list have them."""
    if not settings["hidden_fields"]:
        return []
    from salt_ext.words.hidable import hidable  # not at the top: a minion hides nothing

    sections = {section for name in FILL_SECTIONS for section in settings[name]}
    try:
        return [hidable(str(name), sections) for name in settings["hidden_fields"]]
    except ValueError as error:
        raise SettingsError(
            f"{settings.sources['hidden_fields']}: hidden_fields: {error}"
        ) from None


def _check_sections(source: str, name: str, value: Mapping[Any, Any]) -> None:
    """Raise SettingsError unless each key can be a section and each value can fill it."""
    for section, said in value.items():
        if why := facts.why_no_section(section):
            raise SettingsError(f"{source}: {name}: {why}")
        if name != "commands" and not (said is None or isinstance(said, str)):
            raise SettingsError(
                f"{source}: {name}: {section} is {type(said).__name__}, not the dotted path of a"
                " function, or null"
            )
    if name == "commands":
        _check_commands(source, value)


def _check_commands(source: str, commands: Mapping[str, Any]) -> None:
    if commands:
        # Not imported at the top: the grain imports this file, and most sites have no commands.
        from salt_ext.facts import command

        for section, said in commands.items():
            try:
                if said is not None:
                    command.check(section, said)
            except ValueError as error:
                raise SettingsError(f"{source}: commands: {error}") from None


def fast_collectors(settings: Settings) -> dict[str, str | None]:
    """Return what runs for the grain too: of sections that nothing slow fills."""
    slow = slow_collectors(settings)
    return {name: path for name, path in settings["collectors"].items() if not slow.get(name)}


def slow_collectors(settings: Settings) -> dict[str, str | None]:
    """Return what runs slowly by the section that it fills: dotted paths, commands as JSON."""
    import json

    commands = {
        section: json.dumps(said, sort_keys=True)
        for section, said in settings["commands"].items()
        if said is not None  # a null takes a command away, and the collector in its place is back
    }
    return {**settings["slow_collectors"], **commands}


def _file(path: str) -> Mapping[str, Any]:
    import re

    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        # The text of the error quotes the file, and in that are passwords.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        reason = re.sub("'(?!<).{2,}'", "(not shown)", getattr(error, "problem", None) or "no text")
        raise SettingsError(f"{path}: not YAML{where}: {reason}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: not a mapping")
    # The file may also have all options below ``cmdb:``, like the file of the master.
    return content["cmdb"] if set(content) == {"cmdb"} else content


def markdown() -> str:
    """Return ``docs/configuration.md``."""
    lines = [
        "# Configuration",
        "",
        "Generated from `salt_ext/settings.py` by `./dev docs`; edit it there.",
        "",
        "Salt reads these from the mapping `cmdb:` in the master's or the minion's",
        "configuration; a minion's pillar `cmdb:` goes over its file. The web process reads",
        "the YAML file named by `CMDB_SETTINGS`, then variables such as `CMDB_DATABASE_URL`.",
        "An unknown key or a value of the wrong type is an error that names the nearest key.",
        "Durations are a number and one of s, m, h, d, w.",
        "",
        "On a master that the formula set up, the formula owns `/etc/salt/master.d/cmdb.conf`",
        "and writes it anew. Settings go into its pillar `cmdb_formula:master:settings`, or into",
        "another file of `master.d` such as `cmdb_settings.conf`: Salt lays the mappings `cmdb:`",
        "of all files there over each other. A second `cmdb:` in one file is an error of YAML,",
        "and Salt then ignores the whole file. The engine reads them when the master starts;",
        "`salt-run cmdb.doctor` names a mistake before that.",
        "",
    ]
    for name, option in OPTIONS.items():
        kind = option.type if isinstance(option.type, str) else option.type.__name__
        lines += [f"## {name}", "", option.help, "", f"Read by: {option.where}. Type: {kind}. "]
        if isinstance(option.default, dict) and option.default:
            lines += ["Default:", "", "```yaml", f"{name}:"]
            lines += [f"  {key}: {value}" for key, value in option.default.items()]
            lines += ["```", ""]
        else:
            lines[-1] += f"Default: `{option.default!r}`."
            lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(), end="")
