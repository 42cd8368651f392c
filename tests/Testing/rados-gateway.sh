#!/bin/bash
# A small Ceph on loopback: one monitor, one OSD that keeps its objects in memory, one radosgw, no manager.
# rados-gateway.sh MONITOR-PORT PORT TLS-PORT CERTIFICATE ACCESS-KEY SECRET-KEY HAS-STS
# With STS (true) the user can assume the role "reader". A wrong signature is then only AccessDenied.
# Prints "ready" when it answers, and stops everything when its standard input ends, which it also does if the test process dies.
set -eu
monitor=$1 port=$2 tls_port=$3 certificate=$4 has_sts=$7
folder=$(mktemp -d -t gateway-ceph-XXXXXX)
pids=()

stop() {
  trap - EXIT
  # The last one first: without its monitor an OSD does not end.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  cd /
  rm -rf "$folder"
}
trap stop EXIT
trap '' PIPE

cd "$folder"
mkdir monitor osd rgw log
id=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
# Without "ms mon client mode = crc" radosgw hangs, because authentication is off. The monitor would collect changes for a second, and each of the
# pools is several changes: with short "paxos" times all of this starts in two seconds instead of thirteen. In the domain 0.0.2 the host 127.0.0.2 is
# the bucket 127, so that virtual hosts need no DNS.
cat >ceph.conf <<END
[global]
fsid = $id
mon host = [v2:127.0.0.1:$monitor]
mon initial members = a
ms bind msgr1 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
ms bind ipv6 = false
ms bind retry count = 1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
run dir = $folder
log file = $folder/log/\$name.log
admin socket = $folder/\$name.asok
crash dir = $folder/log
[mon]
mon data = $folder/monitor
mon cluster log file = $folder/log/cluster.log
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
[osd]
osd data = $folder/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port endpoint=127.0.0.2:$port ssl_endpoint=127.0.0.1:$tls_port ssl_certificate=$certificate
rgw data = $folder/rgw
rgw dns name = 0.0.2
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw enable quota threads = false
rgw run sync thread = false
rgw thread pool size = 32
rgw sts key = 0123456789abcdef
rgw s3 auth use sts = $has_sts
rgw crypt require ssl = false
END
export CEPH_CONF=$folder/ceph.conf

# Starts a daemon in the foreground, without the standard input that ends this script.
start() {
  "$@" </dev/null >>log/output 2>&1 &
  pids+=($!)
}

# Waits until a command succeeds, for as long as the last daemon runs, and not beyond 80 s after the start of the script.
await() {
  until timeout 10 "$@" >/dev/null 2>&1; do
    if ((SECONDS > 80)) || ! kill -0 "${pids[-1]}"; then
      tail -n 20 log/* >&2
      exit 1
    fi
    sleep 0.1
  done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Starts a daemon whose port is still free; else the caller tries other ports.
start_on() {
  if listens "$1"; then
    echo "port $1 is taken" >&2
    exit 1
  fi
  start "${@:2}"
}

monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$monitor]" monmap >/dev/null
ceph-mon --mkfs -i a --monmap monmap
start_on "$monitor" ceph-mon -f -i a
await ceph osd new "$osd"
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >/dev/null 2>&1
start ceph-osd -f -i 0
await bash -c "ceph osd stat | grep -q '1 up'"
timeout 60 radosgw-admin user create --uid=test --display-name=test --access-key="$5" --secret-key="$6" >/dev/null
if [ "$has_sts" = true ]; then
  timeout 60 radosgw-admin role create --role-name=reader --path=/ --assume-role-policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/test"]},"Action":["sts:AssumeRole"]}]}' >/dev/null
  timeout 60 radosgw-admin role policy put --role-name=reader --policy-name=read --policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::*"}]}' >/dev/null
fi
start_on "$port" radosgw -f -n client.rgw
export -f listens
await bash -c "listens $port"
echo ready
cat >/dev/null
