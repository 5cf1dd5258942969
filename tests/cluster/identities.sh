# The node's certificates and kubeconfigs, for tests/cluster/node to source.

# Elliptic keys: they take no time to make.
new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

authority() { # FILE NAME
  new_key "pki/$1.key"
  openssl req -x509 -new -key "pki/$1.key" -out "pki/$1.crt" -subj "/CN=$2" -days 3650
}

certificate() { # FILE SUBJECT AUTHORITY [SAN]
  new_key "pki/$1.key"
  openssl req -new -key "pki/$1.key" -subj "$2" -out "pki/$1.csr"
  openssl x509 -req -in "pki/$1.csr" -CA "pki/$3.crt" -CAkey "pki/$3.key" -CAcreateserial -days 3650 -out "pki/$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${4:+subjectAltName=$4}") 2>/dev/null
}

identity() { # NAME SUBJECT [SAN]: a certificate, and a kubeconfig that shows it
  certificate "$1" "$2" ca "${3:-}"
  cat >"$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters:
  - {name: $name, cluster: {server: "https://$address:6443", certificate-authority: $dir/pki/ca.crt}}
users:
  - {name: $1, user: {client-certificate: $dir/pki/$1.crt, client-key: $dir/pki/$1.key}}
contexts:
  - {name: $name, context: {cluster: $name, user: $1}}
current-context: $name
Y
  chmod 600 "$1.kubeconfig"
}

make_identities() {
  authority ca covey-test-ca
  authority front-proxy-ca covey-test-front-proxy-ca
  certificate front-proxy /CN=front-proxy front-proxy-ca
  identity apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$first_service,IP:$address"
  identity admin /O=system:masters/CN=admin
  identity controller-manager /CN=system:kube-controller-manager
  identity scheduler /CN=system:kube-scheduler
  identity kubelet "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$address,IP:127.0.0.1"
  identity proxy /CN=system:kube-proxy
  new_key pki/service-accounts.key
  openssl ec -in pki/service-accounts.key -pubout -out pki/service-accounts.pub 2>/dev/null
}
