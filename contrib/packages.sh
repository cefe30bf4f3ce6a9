#!/bin/sh
# Installs the Debian packages that a purpose needs, where they are missing: packages.sh [--check] PURPOSE...
#
# This is the one place that names them. Purposes: make, build, test, lint, fmt, fuzz. It says what it installs, and does
# nothing (and asks for no rights) where all is there. --check installs nothing: it names what is missing
# and fails. Nothing is removed, no service is started: a test machine does not become a mail server,
# and the mail server that it may be already stays. Fails with apt's own message, and says what to do.
# shellcheck disable=SC2086,SC2016  # lists of packages are split into words; root's shell expands its own script
set -eu

build='g++ cmake ninja-build pkg-config libuv1-dev libhiredis-dev libspdlog-dev libfmt-dev libcli11-dev
       libtomlplusplus-dev nlohmann-json3-dev libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libsystemd-dev
       libc-ares-dev libidn2-dev nettle-dev'
# Postfix believes a login only with a SASL mechanism at hand.
test='doctest-dev python3 redis-server postfix libsasl2-modules mandoc procps'
lint='python3 mandoc'
fmt='clang-format'
fuzz='clang libclang-rt-14-dev doctest-dev python3'

packages_for() {
  case $1 in
    make) echo make ;;
    build) echo $build ;;
    test) echo $build $test ;;
    lint) echo $lint ;;
    fmt) echo $fmt ;;
    fuzz) echo $build $fuzz ;;
    *) echo "packages.sh: no purpose named '$1'; there are make, build, test, lint, fmt, fuzz" >&2; exit 2 ;;
  esac
}

# Of the packages named, those that are not installed.
missing_of() {
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^.i  *//p' || true)
  for package in "$@"; do
    printf '%s\n' "$installed" | grep -qxF -- "$package" || printf ' %s' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null; then
    sudo DEBIAN_FRONTEND=noninteractive "$@"
  else
    echo "packages.sh: neither root nor sudo; as root, run: apt-get install$missing" >&2
    exit 1
  fi
}

# While packages are configured, policy-rc.d (the machine owner's word on services) forbids to start any. Postfix is told
# to come without a configuration; the tests bring their own. --no-remove: apt would make room for it by removing
# another mail server.
install_packages() {
  as_root sh -c '
    forbid=/usr/sbin/policy-rc.d
    if [ ! -e "$forbid" ]; then
      trap "rm -f $forbid" EXIT
      trap "exit 130" HUP INT TERM
      printf "#!/bin/sh\nexit 101\n" > "$forbid"
      chmod 755 "$forbid"
    fi
    case " $* " in
      *" postfix "*) echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections ;;
    esac
    apt-get install --yes --no-install-recommends --no-remove --quiet "$@"
  ' packages.sh "$@"
}

check=
if [ "${1:-}" = --check ]; then
  check=yes
  shift
fi
wanted=
for purpose in "$@"; do
  wanted="$wanted $(packages_for "$purpose")"
done

if ! command -v dpkg-query >/dev/null; then
  echo "packages.sh: not a Debian system; policyd needs what these packages hold:$wanted" >&2
  exit 0
fi
missing=$(missing_of $wanted)
if [ -z "$missing" ]; then
  exit 0
fi
if [ "$check" ]; then
  echo "Missing Debian packages:$missing" >&2
  echo "'make deps' installs what the build needs, 'make deps-test' what the tests need." >&2
  exit 1
fi

echo "Installing Debian packages:$missing"
if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null)" ]; then
  as_root apt-get update --quiet
fi
if ! install_packages $missing; then
  echo "Once more, after apt-get update: the package lists may be old."
  as_root apt-get update --quiet
  install_packages $missing
fi
