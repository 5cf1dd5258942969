# Starts and ends the node's processes, for the scripts here to source. Beside its number we keep when a process began, so that
# another process that got the number meanwhile is never ended in its place.

begin_of() { awk '{ sub(/.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null; }

start() { # NAME COMMAND…
  local part=$1; shift
  setsid "$@" >"$dir/log/$part.log" 2>&1 </dev/null 9>&- &
  echo "$! $(begin_of $!)" >"$dir/$part.process"
}

runs() { # NAME
  local pid began
  read -r pid began <"$dir/$1.process" 2>/dev/null || return 1
  [[ -n $began && "$(begin_of "$pid")" == "$began" && "$(awk '{ sub(/.*\) /, ""); print $1 }' "/proc/$pid/stat")" != Z ]]
}

stop() { # NAME: asks, and after ten seconds insists
  local pid _
  runs "$1" || return 0
  read -r pid _ <"$dir/$1.process"
  kill "$pid" 2>/dev/null
  for _ in $(seq 100); do runs "$1" || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null
}

await() { # WHAT PART COMMAND…: until the command succeeds, or a minute has passed, or the part has ended
  local what=$1 part=$2; shift 2
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && { say "$what"; return; }
    runs "$part" || break
    sleep 0.1
  done
  echo "cluster: no $what; the last lines of $dir/log/$part.log:" >&2
  tail -5 "$dir/log/$part.log" >&2
  exit 1
}
