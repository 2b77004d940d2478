"""
The PostgreSQL store: everything of it that the rest of the system uses.

Reports come in through :func:`ingest` only. Every read is a function that takes
a :class:`Database`. The web process opens its database with ``read_only=True``;
then PostgreSQL itself refuses every write.
"""

from salt_ext.document.diff import Change
from salt_ext.store.acts.act import Act
from salt_ext.store.acts.alone import alone
from salt_ext.store.acts.baseline import accept_baseline
from salt_ext.store.acts.brake import permit_reaction, release_reaction, reset_brake
from salt_ext.store.acts.clouds import Finding, fail_listing, keep_listing, tell_instances
from salt_ext.store.acts.disown import disown
from salt_ext.store.acts.expected import (
    import_expected,
    remove_expected,
    remove_list,
    set_expected,
    types_of_others,
)
from salt_ext.store.acts.installed import fail_comparison, keep_comparison
from salt_ext.store.acts.lifecycle import set_lifecycle
from salt_ext.store.acts.provision import (
    Opened,
    Refusal,
    open_installations,
    revoke_installations,
)
from salt_ext.store.acts.purge import CLASSES, purge
from salt_ext.store.acts.pushed import Written, keep_pushed
from salt_ext.store.acts.quarantine import choices, mark, rule
from salt_ext.store.acts.rename import rename
from salt_ext.store.acts.snapshot import take_snapshot
from salt_ext.store.acts.token import create_token, revoke_token
from salt_ext.store.brake import settle_brake
from salt_ext.store.clock import Clock, clock
from salt_ext.store.columns import KINDS
from salt_ext.store.counting import Statements, count_statements
from salt_ext.store.database import DELIVERIES, HEAD, PAGES, USUAL, Database, ping
from salt_ext.store.deliveries import (
    Delivery,
    complain_of_webhook,
    deliveries_of,
    give_up_deliveries,
    resend_deliveries,
    settle_webhook,
    take_delivery,
    undelivered,
    webhook_queues,
)
from salt_ext.store.errors import (
    FilterError,
    Forbidden,
    HiddenField,
    Merged,
    NotFound,
    NotYet,
    StatementFailed,
    StoreError,
    StoreUnreachable,
    Unstored,
)
from salt_ext.store.faults import SEVERITIES
from salt_ext.store.hidden import MARK
from salt_ext.store.identity.rulings import Ruling
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.batch import ingest
from salt_ext.store.ingest.inbox import inbox_size, submit, take_inbox
from salt_ext.store.ingest.isolation import Suspects, record_failure, record_problem
from salt_ext.store.ingest.problems import close_problem
from salt_ext.store.listening import BRIDGE, Listener, beat, number_of
from salt_ext.store.losses import settle_losses
from salt_ext.store.maintain import maintain
from salt_ext.store.migrate import ENCODING, migrate, new_database
from salt_ext.store.news import News, Subscriber, tell
from salt_ext.store.parts import FILTERS as PART_FILTERS
from salt_ext.store.parts import LONGEST as LONGEST_OF_PART
from salt_ext.store.parts import PLACED
from salt_ext.store.provisioning import (
    Served,
    Shown,
    begin_installation,
    finish_installation,
    serve_installation,
)
from salt_ext.store.reads.as_of import compare_assets, document
from salt_ext.store.reads.asset import asset_page, name_of, overview
from salt_ext.store.reads.assets import Page, assets, usual_columns
from salt_ext.store.reads.awaited import awaited
from salt_ext.store.reads.baselines import Deviation, baseline_of, check_baselines
from salt_ext.store.reads.beside import beside
from salt_ext.store.reads.between import compare, handovers
from salt_ext.store.reads.changes_count import (
    LOSABLE,
    Count,
    count_changes,
    count_classes,
    count_days,
    count_losses,
)
from salt_ext.store.reads.changes_page import after_report, changes_page
from salt_ext.store.reads.clouds import CLOUD_LISTS, Guest, cloud_findings, clouds, guests
from salt_ext.store.reads.components import components, genealogy
from salt_ext.store.reads.decisions import decisions
from salt_ext.store.reads.due import due, news_since, stalest_first
from salt_ext.store.reads.duplicates import SHARED, duplicates
from salt_ext.store.reads.expected import expected_machines, expected_sources, said_of
from salt_ext.store.reads.export import Extract, extract
from salt_ext.store.reads.facets import facets
from salt_ext.store.reads.failing_batches import failing_batches
from salt_ext.store.reads.feed import SETTLED_SECONDS, feed
from salt_ext.store.reads.filters import Asking, asking, fields, listable
from salt_ext.store.reads.fleet_diff import differing, fleet_diff
from salt_ext.store.reads.health import health
from salt_ext.store.reads.held import claiming, held_reports
from salt_ext.store.reads.hints import check_section, hint, hint_of_changes
from salt_ext.store.reads.history import Position, Wanted, changes
from salt_ext.store.reads.installations import STATES as INSTALLATION_STATES
from salt_ext.store.reads.installations import installations, installed
from salt_ext.store.reads.keys import assets_with_keys
from salt_ext.store.reads.listing import FRESHNESS
from salt_ext.store.reads.lookup import HELD, lookup
from salt_ext.store.reads.losses import LOSS_STATES, losses
from salt_ext.store.reads.machines import SILENT_TOO, machines
from salt_ext.store.reads.masters import SILENT_AFTER_SECONDS, masters, nobody_since
from salt_ext.store.reads.names import names_of
from salt_ext.store.reads.odd import odd
from salt_ext.store.reads.patterns import is_glob
from salt_ext.store.reads.positions import heard_elsewhere, positions, unknown_of
from salt_ext.store.reads.problems import OWN_BUSINESS, attention, problems, troubled
from salt_ext.store.reads.pushed import Pushed, pushed_of, pushes
from salt_ext.store.reads.rack import neighbours
from salt_ext.store.reads.reactions import REACTION_STATES, reactions
from salt_ext.store.reads.resolve import padded, resolve
from salt_ext.store.reads.sections import sections
from salt_ext.store.reads.server import server
from salt_ext.store.reads.slipped import nearest_known
from salt_ext.store.reads.snapshots import as_of_moment, moment_of, snapshots
from salt_ext.store.reads.standing import standing
from salt_ext.store.reads.statistics import failing_collectors, statistics
from salt_ext.store.reads.suggestions import suggestions
from salt_ext.store.reads.tokens import token_of, tokens
from salt_ext.store.reads.told import told_of
from salt_ext.store.reads.totals import totals
from salt_ext.store.reads.unexpected import unexpected
from salt_ext.store.reads.warnings import ALL as ANY_WARNING
from salt_ext.store.reads.warnings import DAYS as WARNING_DAYS
from salt_ext.store.reads.warnings import warnings
from salt_ext.store.roles import grant
from salt_ext.store.said import spoken
from salt_ext.store.schema import KEPT_COLUMNS, LIFECYCLES, OPS, PLACE, PROBLEM_KINDS, ROLES
from salt_ext.store.text import storable
from salt_ext.store.url import secrets as url_secrets
from salt_ext.store.url import shown as shown_url
from salt_ext.store.url import spellings

__all__ = [
    "ANY_WARNING",
    "BRIDGE",
    "CLASSES",
    "CLOUD_LISTS",
    "DELIVERIES",
    "ENCODING",
    "FRESHNESS",
    "HEAD",
    "HELD",
    "INSTALLATION_STATES",
    "KEPT_COLUMNS",
    "KINDS",
    "LIFECYCLES",
    "LONGEST_OF_PART",
    "LOSABLE",
    "LOSS_STATES",
    "MARK",
    "OPS",
    "OWN_BUSINESS",
    "PAGES",
    "PART_FILTERS",
    "PLACE",
    "PLACED",
    "PROBLEM_KINDS",
    "REACTION_STATES",
    "ROLES",
    "SETTLED_SECONDS",
    "SEVERITIES",
    "SHARED",
    "SILENT_AFTER_SECONDS",
    "SILENT_TOO",
    "USUAL",
    "WARNING_DAYS",
    "Act",
    "Arrival",
    "Asking",
    "Change",
    "Clock",
    "Count",
    "Database",
    "Delivery",
    "Deviation",
    "Extract",
    "FilterError",
    "Finding",
    "Forbidden",
    "Guest",
    "HiddenField",
    "Listener",
    "Merged",
    "News",
    "NotFound",
    "NotYet",
    "Opened",
    "Outcome",
    "Page",
    "Position",
    "Pushed",
    "Refusal",
    "Ruling",
    "Served",
    "Shown",
    "StatementFailed",
    "Statements",
    "StoreError",
    "StoreUnreachable",
    "Subscriber",
    "Suspects",
    "Unstored",
    "Wanted",
    "Written",
    "accept_baseline",
    "after_report",
    "alone",
    "as_of_moment",
    "asking",
    "asset_page",
    "assets",
    "assets_with_keys",
    "attention",
    "awaited",
    "baseline_of",
    "beat",
    "begin_installation",
    "beside",
    "changes",
    "changes_page",
    "check_baselines",
    "check_section",
    "choices",
    "claiming",
    "clock",
    "close_problem",
    "cloud_findings",
    "clouds",
    "compare",
    "compare_assets",
    "complain_of_webhook",
    "components",
    "count_changes",
    "count_classes",
    "count_days",
    "count_losses",
    "count_statements",
    "create_token",
    "decisions",
    "deliveries_of",
    "differing",
    "disown",
    "document",
    "due",
    "duplicates",
    "expected_machines",
    "expected_sources",
    "extract",
    "facets",
    "fail_comparison",
    "fail_listing",
    "failing_batches",
    "failing_collectors",
    "feed",
    "fields",
    "finish_installation",
    "fleet_diff",
    "genealogy",
    "give_up_deliveries",
    "grant",
    "guests",
    "handovers",
    "health",
    "heard_elsewhere",
    "held_reports",
    "hint",
    "hint_of_changes",
    "import_expected",
    "inbox_size",
    "ingest",
    "installations",
    "installed",
    "is_glob",
    "keep_comparison",
    "keep_listing",
    "keep_pushed",
    "listable",
    "lookup",
    "losses",
    "machines",
    "maintain",
    "mark",
    "masters",
    "migrate",
    "moment_of",
    "name_of",
    "names_of",
    "nearest_known",
    "neighbours",
    "new_database",
    "news_since",
    "nobody_since",
    "number_of",
    "odd",
    "open_installations",
    "overview",
    "padded",
    "permit_reaction",
    "ping",
    "positions",
    "problems",
    "purge",
    "pushed_of",
    "pushes",
    "reactions",
    "record_failure",
    "record_problem",
    "release_reaction",
    "remove_expected",
    "remove_list",
    "rename",
    "resend_deliveries",
    "reset_brake",
    "resolve",
    "revoke_installations",
    "revoke_token",
    "rule",
    "said_of",
    "sections",
    "serve_installation",
    "server",
    "set_expected",
    "set_lifecycle",
    "settle_brake",
    "settle_losses",
    "settle_webhook",
    "shown_url",
    "snapshots",
    "spellings",
    "spoken",
    "stalest_first",
    "standing",
    "statistics",
    "storable",
    "submit",
    "suggestions",
    "take_delivery",
    "take_inbox",
    "take_snapshot",
    "tell",
    "tell_instances",
    "token_of",
    "tokens",
    "told_of",
    "totals",
    "troubled",
    "types_of_others",
    "undelivered",
    "unexpected",
    "unknown_of",
    "url_secrets",
    "usual_columns",
    "warnings",
    "webhook_queues",
]
