# Sourced by deploy/quickstart, tests/run and the benches: finds or installs what they need.
#
#   need build mta            the Debian packages of these sets (deploy/packages)
#   find_python               sets PYTHON: 3.11 or newer, with venv and headers
#   make_venv DIR [EXTRA]     a virtual environment with this project in it, made again when it changed
#
# Whatever is there already is left alone, so that a second run costs next to nothing.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$1"
    exit "${2:-69}"
}

# --- Debian packages ---------------------------------------------------------------------------------------

there() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

missing_packages() {
    local name set probe
    while read -r name set probe; do
        case $name in '' | '#'*) continue ;; esac
        case " $* " in *" $set "*) there "$probe" || printf '%s ' "$name" ;; esac
    done <"$ROOT/deploy/packages"
}

need() {
    local missing
    missing=$(missing_packages "$@")
    # shellcheck disable=SC2086 # a list of names
    [ -z "$missing" ] || install_packages $missing
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() {
    command -v apt-get >/dev/null ||
        die "missing here: $*. This script can install only with apt-get; install what corresponds to these packages."
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
        die "missing here: $*. Run this as root, or first: apt-get install --no-install-recommends $*"
    fi
    say "installing $*"
    local log
    log=$(mktemp)
    if ! { update_lists && install_quietly "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "could not install $*"
    fi
    rm -f "$log"
}

lists_updated=''
update_lists() {
    [ -n "$lists_updated" ] || as_root apt-get update
    lists_updated=yes
}

# Makes `apt-get download PACKAGE` work, where that is possible at all.
can_download() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! apt-cache show "$1" >/dev/null 2>&1; then
        update_lists >/dev/null 2>&1 || say "no package lists, so that $1 cannot be downloaded"
    fi
}

# Nothing that gets installed here is meant to run as a service: no start (policy-rc.d, for the time of the
# installation), and a new Postfix gets no configuration of its own, a new PostgreSQL no database cluster, and a
# new OpenDKIM or nginx is disabled, so that they do not start later either.
install_quietly() {
    local policy=/usr/sbin/policy-rc.d ours='' status=0
    local clusters=/etc/postgresql-common/createcluster.d
    if [ ! -e $policy ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
    fi
    if command -v debconf-set-selections >/dev/null && ! command -v postfix >/dev/null; then
        echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections
    fi
    as_root mkdir -p $clusters
    echo 'create_main_cluster = false' | as_root tee $clusters/sms-milter.conf >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "$@" || status=$?
    [ -z "$ours" ] || as_root rm -f $policy
    as_root rm -f $clusters/sms-milter.conf
    as_root rmdir --parents --ignore-fail-on-non-empty $clusters
    local service
    for service in opendkim nginx; do
        case " $* " in
        *" $service "*) ! command -v systemctl >/dev/null || as_root systemctl --quiet disable $service || status=$? ;;
        esac
    done
    return $status
}

# --- Python ------------------------------------------------------------------------------------------------

python_fits() {
    "$1" - >/dev/null 2>&1 <<'CHECK'
import ensurepip, os, sys, sysconfig, venv
sys.exit(sys.version_info < (3, 11) or not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))
CHECK
}

first_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && python_fits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

find_python() {
    PYTHON=$(first_python) && return
    install_packages python3 python3-venv python3-dev
    PYTHON=$(first_python) ||
        die "Python 3.11 or newer with venv and headers is needed; set PYTHON to one, or use a newer release."
}

# --- the virtual environment -------------------------------------------------------------------------------

make_venv() {
    local venv=$1 extra=${2:-} stamp
    need build
    find_python
    stamp=$({ "$PYTHON" -V && echo "$ROOT $extra" && cat "$ROOT/pyproject.toml"; } | cksum)
    [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ] && [ -x "$venv/bin/sms-milter" ] && return
    say "making the virtual environment in $venv"
    local log=$venv.log
    mkdir -p "${venv%/*}"
    rm -rf "$venv"
    # pymilter 1.0.5 does not compile as C23, the default from GCC 15 on.
    if ! { "$PYTHON" -m venv "$venv" &&
        CFLAGS=${CFLAGS:--std=gnu17} "$venv/bin/pip" install --quiet --disable-pip-version-check \
            --editable "$ROOT${extra:+[$extra]}"; } >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        die "could not make the virtual environment; all of it: $log"
    fi
    echo "$stamp" >"$venv/stamp"
    rm -f "$log"
}
