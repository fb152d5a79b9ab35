/**
 * What runs in front of a runner, so that its end is known although nobody was there to see it: `sh -c WRAPPER sh <folder>
 * <names of secret variables> <command…>`. It leaves in the folder `process` (its own identity), `info` (bubblewrap's report),
 * `exit` (the exit status, written whole) and `log.0`/`log.1` (output without secrets, together at most twice MAX_LOG_BYTES; a longer
 * line is cut). On a full disk the log ends; the command goes on.
 */
export const MAX_LOG_BYTES = 512 * 1024;

/** Replaces every value of the named variables, line by line, and starts the other file when one is full. */
const LOG_FILTER = `
function clean(line, i, at, out) {
  for (i = 1; i <= count; i++) {
    out = ""
    while ((at = index(line, values[i])) > 0) {
      out = out substr(line, 1, at - 1) "[secret]"
      line = substr(line, at + length(values[i]))
    }
    line = out line
  }
  return line
}
BEGIN {
  names = split(secrets, name, ",")
  for (n = 1; n <= names; n++) {
    parts = split(ENVIRON[name[n]], part, "\\n")
    for (p = 1; p <= parts; p++) if (part[p] != "") values[++count] = part[p]
  }
  file = "log.0"
}
{
  line = substr(clean($0), 1, limit - 1)
  bytes += length(line) + 1
  if (bytes > limit) { close(file); file = (file == "log.0") ? "log.1" : "log.0"; printf "" > file; bytes = length(line) + 1 }
  print line > file
  fflush(file)
}`;

export const WRAPPER = `
umask 077
cd "$1" || exit 70
secrets=$2
shift 2
cat "/proc/$$/stat" > process.tmp 2>/dev/null || echo "$$" > process.tmp
mv process.tmp process
# mawk would keep lines to itself until it has 4 KB of them.
case "$(awk -W version 2>&1 < /dev/null)" in mawk*) at_once='-W interactive' ;; *) at_once= ;; esac
{
  "$@" 3> info < /dev/null
  echo "$?" > exit.tmp
  mv exit.tmp exit
} 2>&1 | { LC_ALL=C awk $at_once -v secrets="$secrets" -v limit=${MAX_LOG_BYTES} '${LOG_FILTER}' || cat > /dev/null; }
`;
