#!/bin/sh
# Releases to machines in waves, and stops at the first wave that is not as it was. On a master:
#
#   salt-run cmdb.snapshot before-REL-7
#   release.sh before-REL-7 ./deploy site=fra1 list.role=web
#
# What follows the program are filters. The program gets a file that has the names of a wave,
# one a line, of WAVE machines (10). A wave is looked at before and after it. The status is 0
# when the release is everywhere.
set -eu

snapshot=$1
deploy=$2
shift 2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Are these machines, as they report now, as they were at the snapshot? The quotes within are
# Salt's, which would take a name of digits for a number.
is_as_it_was() {
    salt-run cmdb.collect "tgt='$1'" tgt_type=list >&2 &&
        salt-run cmdb.fleet_diff "from='$snapshot'" "minion_id__in='$1'" exit_code=True >&2
}

# Not by out_file: salt-run may be another user than root, who cannot write here.
salt-run cmdb.inventory targets "$@" >"$folder/targets" || {
    cat "$folder/targets" >&2
    exit 1
}
if ! grep -q . "$folder/targets"; then
    echo "no machine fits: $*" >&2
    exit 1
fi
split -l "${WAVE:-10}" "$folder/targets" "$folder/wave."
for wave in "$folder"/wave.*; do
    names=$(paste -s -d , "$wave")
    if ! { is_as_it_was "$names" && "$deploy" "$wave" && is_as_it_was "$names"; }; then
        echo "stopped at $names" >&2
        exit 1
    fi
done
