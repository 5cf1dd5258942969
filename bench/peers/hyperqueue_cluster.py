"""HyperQueue's server and worker, in a process that holds nothing else: hyperqueue_cluster.py LIBRARY FOLDER CORES.

The worker starts programs more slowly the more memory its process has, as if it copied its page tables for each; therefore
only HyperQueue's compiled library is loaded here, by its path, and the client is another process. Says "ready", and ends with its standard input.
"""

import importlib.machinery
import importlib.util
import sys


def main(library, folder, cores):
    loader = importlib.machinery.ExtensionFileLoader("hyperqueue", library)
    hyperqueue = importlib.util.module_from_spec(importlib.util.spec_from_loader("hyperqueue", loader))
    loader.exec_module(hyperqueue)
    cluster = hyperqueue.cluster_start(folder)
    cluster.add_worker(int(cores))
    print("ready", flush=True)
    sys.stdin.read()
    cluster.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
