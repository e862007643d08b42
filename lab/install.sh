#!/bin/sh
# Installs the programs that the lab's scenarios use, on Debian and its kin.
set -eu
apt-get update
apt-get install -y --no-install-recommends iproute2 nginx-light apache2-bin nodejs python3 python3-h2 curl haproxy wrk \
	nghttp2-client nghttp2-server
