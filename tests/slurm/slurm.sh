#!/usr/bin/env bash
# A Slurm of one node for the tests: Debian's packages, no systemd, no cgroups, no accounting.
#   slurm.sh start DIR    installs what is missing (apt-get), starts munged, slurmctld and slurmd
#   slurm.sh stop DIR     cancels its jobs and ends those three
# Needs root. Everything lives below DIR (key, socket, state, logs), with a link to it from
# /etc/slurm/slurm.conf: jobs look there, since Snakemake clears SLURM_CONF for them. A machine with
# a Slurm of its own is left alone. Tried on Debian 12 (22.05).
set -euo pipefail
action=$1 dir=$2
export SLURM_CONF=$dir/slurm.conf
link=/etc/slurm/slurm.conf

as_munge() { setpriv --reuid munge --regid munge --clear-groups "$@"; }

install_packages() {
    command -v slurmctld slurmd sbatch munged >/dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
        slurm-wlm slurm-wlm-basic-plugins munge
}

configure() {
    local host memory
    host=$(hostname -s)
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    cat >"$SLURM_CONF" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=5,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Memory limits without cgroups: processes are sampled every 2 s and a job above --mem is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill,UsePss
# Finished jobs stay visible to squeue and scontrol: there is no database to ask.
MinJobAge=3600
KillWait=5
AccountingStorageType=accounting_storage/none
# The node claims more cores than the machine may have, so that jobs run side by side.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 Boards=1 Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE DefaultTime=60 State=UP DefMemPerCPU=500
CONF
}

start() {
    [ "$(id -u)" = 0 ] || { echo "slurm.sh needs root" >&2; exit 1; }
    [ ! -e "$link" ] || { echo "$link exists: this machine has a Slurm" >&2; exit 1; }
    install_packages
    mkdir -p "$dir"/state "$dir"/spool
    chmod 755 "$dir"
    install -d -m 711 -o munge -g munge "$dir/munge"
    head -c 1024 /dev/urandom >"$dir/munge/key"
    chown munge:munge "$dir/munge/key"
    chmod 400 "$dir/munge/key"
    as_munge /usr/sbin/munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munge/munged.pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
    ln -sfn "$dir/munge/socket" "$dir/munge.socket"
    configure
    ln -sfn "$SLURM_CONF" "$link"
    /usr/sbin/slurmctld -i -f "$SLURM_CONF"
    /usr/sbin/slurmd -f "$SLURM_CONF"
    for _ in $(seq 300); do
        timeout 5 sinfo -h -o %T 2>/dev/null | grep -q '^idle$' && break
        sleep 0.2
    done
    timeout 120 srun -Q -n1 -t1 true || { tail -n 20 "$dir"/*.log >&2; exit 1; }
    sinfo --version
}

stop() {
    timeout 10 scancel -u root 2>/dev/null || true
    [ "$(readlink "$link")" != "$SLURM_CONF" ] || rm "$link"
    for file in slurmd.pid slurmctld.pid munge/munged.pid; do
        [ -s "$dir/$file" ] || continue
        pid=$(cat "$dir/$file")
        # A pid file can be stale: end only a process of that name.
        case $(cat "/proc/$pid/comm" 2>/dev/null) in
            slurmd | slurmctld | munged) kill "$pid" ;;
            *) continue ;;
        esac
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    done
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "usage: slurm.sh start|stop DIR" >&2; exit 2 ;;
esac
