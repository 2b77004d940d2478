"""The sections that tell of a fault, in an index."""

from alembic import op

revision = "0011"
down_revision = "0010"

IS_ILL = """
       section = 'smart' AND facts @? '
            $[*] ? (@.passed == false
            || exists(@.health.failing[*]))'
    OR section = 'smart' AND facts @? '$[*] ? (exists(@.health.failed_before[*]))'
    OR section = 'smart' AND volatile @? '
            $.keyvalue() ? (@.value.pending > 0
            || @.value.uncorrectable > 0
            || @.value.reported_uncorrectable > 0
            || @.value.media_errors > 0
            || @.value.uncorrected_reads > 0
            || @.value.uncorrected_writes > 0
            || @.value.reallocated > 0
            || @.value.percentage_used >= 90)'
    OR section = 'memory' AND volatile @? '
            $.edac.keyvalue() ? (@.value.ce_count > 0
            || @.value.ue_count > 0)'
    OR section = 'raid' AND facts @? '
            $.*[*] ? (@.health == "degraded"
            || @.health == "failed")'
    OR section = 'raid' AND facts @? '
            $.controllers[*].battery ? (@.health == "degraded"
            || @.health == "failed")'
    OR section = 'disks' AND facts @? '$[*] ? (@.paths[*].health == "failed")'
    OR section = 'md' AND facts @? '$[*] ? (@.health.degraded > 0)'
    OR section = 'power_supplies' AND facts @? '
            $[*] ? (@.status like_regex "critical$" flag "i"
            || @.plugged == false)'
"""


def upgrade() -> None:
    """Take the step."""
    op.execute(f"CREATE INDEX asset_facts_ill_idx ON asset_facts (asset_id) WHERE {IS_ILL}")
