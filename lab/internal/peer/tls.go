//go:build linux

package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Certificate makes a key and a certificate for the server of the lab, signed by itself. It has so
// many names more, of some 40 octets each.
func Certificate(names int) (cert tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, err
	}
	now := time.Now()
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{serverName},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	for n := range names {
		about.DNSNames = append(
			about.DNSNames,
			fmt.Sprintf("customer-number-%06d.hosted.example.net", n),
		)
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

const serverName = "server.lab"

// CertificateFiles writes the certificate and its key as files, for programs.
func CertificateFiles(dir string) (certFile, keyFile string, err error) {
	cert, err := Certificate(0)
	if err != nil {
		return "", "", err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := writePEM(certFile, "CERTIFICATE", cert.Certificate[0]); err != nil {
		return "", "", err
	}
	return certFile, keyFile, writePEM(keyFile, "PRIVATE KEY", key)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// ServeTLS puts TLS on an accepted connection; without a certificate it is the connection itself.
func ServeTLS(c net.Conn, cert *tls.Certificate) (net.Conn, error) {
	if cert == nil {
		return c, nil
	}
	return shakeHands(c, tls.Server(c, &tls.Config{
		Certificates: []tls.Certificate{*cert},
		NextProtos:   []string{"http/1.1"},
	}))
}

// DialTLS does the client's part, and adds its secrets to a key log. The certificate is the lab's
// own, and nobody else is on the link.
func DialTLS(c net.Conn, keyLog string) (net.Conn, error) {
	keys, err := os.OpenFile(keyLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	return shakeHands(c, tls.Client(c, &tls.Config{
		KeyLogWriter:       keys,
		ServerName:         serverName,
		InsecureSkipVerify: true,
		NextProtos:         []string{"http/1.1"},
	}))
}

func shakeHands(c net.Conn, t *tls.Conn) (net.Conn, error) {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	defer c.SetDeadline(time.Time{})
	if err := t.Handshake(); err != nil {
		return nil, fmt.Errorf("shake hands: %w", err)
	}
	return t, nil
}
