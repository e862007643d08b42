package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// ownCertificate is one for a test, and its key.
func ownCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestLiveLateKeys writes a key log only when all has been said for a while: what was held is read
// then. A connection whose secrets never come is turns.
func TestLiveLateKeys(t *testing.T) {
	l := newLiveLab(t)
	const size = 2000
	var listener net.Listener
	l.in(
		l.a,
		func() (err error) { listener, err = net.Listen("tcp", "127.0.0.1:8443"); return err },
	)
	defer listener.Close()
	config := &tls.Config{Certificates: []tls.Certificate{ownCertificate(t)}}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(tls.Server(c, config), size)
		}
	}()
	keys := l.file("keys.txt")
	live := l.listen(l.a, "-i", "lo", "-F", "json", "-q", "--keylog", keys, "--duration", "3500ms")
	var log bytes.Buffer
	known := tls.Client(l.dial(l.a, "127.0.0.1:8443"),
		&tls.Config{InsecureSkipVerify: true, KeyLogWriter: &log})
	hidden := tls.Client(l.dial(l.a, "127.0.0.1:8443"), &tls.Config{InsecureSkipVerify: true})
	l.ask(known, 3, size)
	l.ask(hidden, 2, size)
	time.Sleep(700 * time.Millisecond) // held for 2 s
	if err := os.WriteFile(keys, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	l.ask(known, 1, size)
	known.Close()
	hidden.Close()
	if status := live.end(nil); status != cli.ExitOK {
		t.Fatalf("status %d: %s", status, live.stderr)
	}
	report := decode(t, live.stdout.Bytes())
	asked, turns := 0, 0
	for _, x := range report["exchanges"].([]any) {
		target, _ := x.(map[string]any)["target"].(string)
		if strings.HasPrefix(target, "/") {
			asked++
		} else {
			turns++
		}
	}
	if asked != 4 || turns != 2 {
		t.Errorf("%d requests were read and %d not, want 4 and 2:\n%s", asked, turns,
			live.stdout.Bytes())
	}
}
