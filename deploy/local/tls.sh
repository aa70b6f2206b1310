# tls.sh: the servers of servers.sh behind TLS; sourced after lib.sh, it only defines functions.
# DIR/tls/ca.pem is the issuer, made for this folder; server.pem is for the name localhost and for no address. For tests there are
# also expired.pem, which was good for a day long ago, and stranger.pem, an issuer who issued nothing here.

issuer() { # NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=miaosha $1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout "$dir/tls/$1.key" -out "$dir/tls/$1.pem"
}

issue() { # NAME FROM UNTIL
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
    -keyout "$dir/tls/$1.key" -out "$dir/tls/$1.csr"
  openssl ca -batch -notext -config "$dir/tls/ca.conf" -in "$dir/tls/$1.csr" -out "$dir/tls/$1.pem" -startdate "$2" -enddate "$3"
}

# The folder is there when everything in it is.
make_certificates() {
  [ ! -d "$dir/tls" ] || return 0
  command -v openssl >/dev/null || fail "there is no openssl: see deploy/local/install.sh"
  local whole=$dir year
  year=$(date -u +%Y)
  mkdir -p "$whole/tls.new"
  dir=$whole/tls.new
  mkdir -p "$dir/tls/issued"
  : >"$dir/tls/index"
  cat >"$dir/tls/ca.conf" <<END
[ca]
default_ca = own
[own]
database = $dir/tls/index
new_certs_dir = $dir/tls/issued
rand_serial = yes
unique_subject = no
certificate = $dir/tls/ca.pem
private_key = $dir/tls/ca.key
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
# Redis masters are also clients of each other.
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:localhost
END
  {
    issuer ca && issuer stranger && issue expired 20200101000000Z 20200102000000Z \
      && issue server "$((year - 1))0101000000Z" "$((year + 10))0101000000Z"
  } >"$dir/log" 2>&1 || { cat "$dir/log" >&2; fail "no certificates"; }
  mv "$dir/tls" "$whole/tls"
  dir=$whole
  rm -rf "$whole/tls.new"
}

# What a part's own files say is changed from plain to TLS, on the same port.
speak_tls() { # PART
  local home=$dir/$1 tls=$dir/tls
  case $1 in
    redis-*)
      # Nodes name each other, and are called, by name.
      sed -i 's/^port \(.*\)/port 0\ntls-port \1/' "$home/redis.conf"
      sed -i 's/\(127.0.0.1:[0-9]*@[0-9]*\) /\1,localhost /' "$home/nodes.conf"
      cat >>"$home/redis.conf" <<END
tls-cluster yes
tls-auth-clients no
tls-cert-file $tls/server.pem
tls-key-file $tls/server.key
tls-ca-cert-file $tls/ca.pem
cluster-announce-hostname localhost
cluster-preferred-endpoint-type hostname
END
      ;;
    rabbitmq)
      sed -i "s|{tcp_listeners, \(\[.*\]\)}\]},|{tcp_listeners, []}, {ssl_listeners, \1},\n  {ssl_options, [{cacertfile, \"$tls/ca.pem\"}, {certfile, \"$tls/server.pem\"}, {keyfile, \"$tls/server.key\"},\n    {verify, verify_none}, {versions, ['tlsv1.3', 'tlsv1.2']}]}]},|" \
        "$home/rabbitmq.config"
      ;;
    mariadb | mariadb-replica)
      printf 'ssl-ca = %s\nssl-cert = %s\nssl-key = %s\n' "$tls/ca.pem" "$tls/server.pem" "$tls/server.key" >>"$home/my.cnf"
      case $1 in
        mariadb) echo "ALTER USER miaosha@'%' REQUIRE SSL;" ;;
        *) echo "ALTER USER miaosha_reads@'%' REQUIRE SSL;" ;;
      esac >>"$home/init.sql"
      ;;
    *) return 0 ;;
  esac
  echo "tls_ca='$tls/ca.pem'" >>"$home/env"
}

tell_tls() {
  sed -i -e 's|redis-cluster://127.0.0.1:|rediss-cluster://localhost:|' -e 's|node=127.0.0.1:|node=localhost:|g' \
    -e 's|amqp://\(.*\)@127.0.0.1:|amqps://\1@localhost:|' \
    -e "s|\(MYSQL\(_REPLICA\)\{0,1\}_URL='mysql://.*\)@127.0.0.1:\(.*\)'|\1@localhost:\3?ssl-mode=verify_identity'|" "$dir/state.env"
  echo "export MIAOSHA_CA_FILE='$dir/tls/ca.pem'" >>"$dir/state.env"
}
