# Names and folders of the test cluster, for the scripts here to source. COVEY_TEST_CLUSTER names it, so that two can stand side by side.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=${COVEY_TEST_CLUSTER:-covey-e2e}
dir=${CLUSTER_DIR:-/tmp/$name}               # its state; nothing else may be in there
netns=${CLUSTER_NETNS:-$name}                # of a node of our own
cache=${XDG_CACHE_HOME:-$HOME/.cache}/covey/cluster
bin=${CLUSTER_BIN:-$cache/bin}

fail() { echo "cluster: $*" >&2; exit 1; }
began=$(date +%s%N)
say()  { printf '%7d ms  %s\n' $((($(date +%s%N) - began) / 1000000)) "$*"; }

# Which cluster to use: one that is there already, kind where Docker runs, or else a node of our own.
provider() {
  if [[ -e $dir/provider ]]; then cat "$dir/provider"
  elif [[ -n ${COVEY_TEST_CLUSTER_PROVIDER:-} ]]; then echo "$COVEY_TEST_CLUSTER_PROVIDER"
  elif [[ -n ${KUBECONFIG:-} ]]; then echo given
  elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then echo kind
  else echo node; fi
}

# Why a node of our own cannot be started here; nothing if it can. Asks without changing anything.
no_node_here() {
  if [[ $EUID -ne 0 ]]; then echo "not root, and neither KUBECONFIG nor Docker is there"; return; fi
  unshare --net --mount true 2>/dev/null || { echo "this machine lets nobody make network namespaces"; return; }
  local probe; probe=$(mktemp -d)
  unshare --net --mount bash -c '
    ip link add probe0 type bridge && mount -t tmpfs probe "$0" && mkdir "$0"/{lower,upper,work,all} &&
    mount -t overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" probe "$0/all"' "$probe" 2>/dev/null ||
    echo "this machine makes no bridges or overlay mounts"
  rm -rf "$probe"
}
