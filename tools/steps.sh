# Shared by the scripts here: one line a step, with its time. Sourced, not run.

CHECKOUT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# What this machine may have set for another program must not steer a build or a test, nor report anything to anyone.
export NO_UPDATE_NOTIFIER=1 DO_NOT_TRACK=1 SCARF_ANALYTICS=false NX_NO_CLOUD=true NX_DAEMON=false NEXT_TELEMETRY_DISABLED=1

# step NAME COMMAND...: runs the command; its output is shown only when it fails.
step() {
  local name="$1" log started ended
  shift
  log="$(mktemp)"
  started=$(now_ms)
  if "$@" >"$log" 2>&1; then
    ended=$(now_ms)
    printf '%7s  %s%s\n' "$(seconds $((ended - started)))" "$name" "$(note "$log")"
    rm -f "$log"
  else
    printf '%7s  %s\n' failed "$name"
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
}

# say_note TEXT: what the step adds to its line.
say_note() { printf '@note %s\n' "$1"; }

note() { sed -n 's/^@note \(.*\)$/ (\1)/p' "$1" | tail -1; }

now_ms() { date +%s%3N; }

seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

fail() {
  printf '%s\n' "$*" >&2
  return 1
}

# version_at_least HAVE WANT
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]; }
