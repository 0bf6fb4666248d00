#!/bin/sh
# Installs what is missing of deploy/packages.txt, or of the lists of deploy/ named as arguments. As root. No service of a
# package starts: Debian's maintainer scripts ask policy-rc.d first. An administrator's own policy is left alone. Ours says no
# to what we install and to nothing else, so that one left behind by a kill -9 is in nobody's way; the next run removes it.
set -eu
mark="# placed by stox for the time of an install"
policy=/usr/sbin/policy-rc.d
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- packages.txt

exec 9>/run/lock/stox-install  # one at a time: the first to end would take the policy from under the other
ours() { grep -qsF -e "$mark" "$policy"; }
if ours && flock -n 9; then rm -f "$policy"; fi

listed=$(sed 's/#.*//' "$@")
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $listed 2>/dev/null | sed -n 's/ installed$//p' || true)
missing=
for package in $listed; do
    printf '%s\n' "$installed" | grep -qxF -e "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

flock 9
if [ ! -e "$policy" ] && [ ! -L "$policy" ] || ours; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\n%s\n[ -z "${STOX_INSTALL:-}" ] || exit 101\n' "$mark" > "$policy"
    chmod 755 "$policy"
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive STOX_INSTALL=1
apt-get -q -o DPkg::Lock::Timeout=300 update 9>&-
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing 9>&-
