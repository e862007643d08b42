package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tcpwhy/internal/cli"
)

// spoken is a connection that writes down what is sent on it as segments (package tcptext).
type spoken struct {
	net.Conn
	side   string // > or <
	script *script
}

// script are the segments of a connection.
type script struct {
	mu   sync.Mutex
	text strings.Builder
	seq  map[string]int
	at   float64
}

func (s *spoken) Write(p []byte) (int, error) {
	s.script.say(s.side, p)
	return s.Conn.Write(p)
}

// say adds a segment.
func (s *script) say(side string, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	other := "<"
	if side == "<" {
		other = ">"
	}
	s.at += 0.001
	fmt.Fprintf(&s.text, "%.3f %s P. %d ack %d %s\n", s.at, side, s.seq[side], s.seq[other],
		strconv.QuoteToASCII(string(p)))
	s.seq[side] += len(p)
}

// withinTLS has a client and a server say something on a connection with TLS: what was sent, and
// the secrets.
func withinTLS(t *testing.T, request, response string, maxVersion uint16) (text, keys string) {
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
	s := &script{seq: map[string]int{">": 1, "<": 1}, at: 0.02}
	s.text.WriteString("0.000 > S  0:0(0) win 64240 <mss 1460>\n" +
		"0.010 < S. 0:0(0) ack 1 win 65160 <mss 1460>\n")
	var log bytes.Buffer
	near, far := net.Pipe()
	client := tls.Client(&spoken{near, ">", s}, &tls.Config{
		InsecureSkipVerify: true, KeyLogWriter: &log, ServerName: "shop.example", MaxVersion: maxVersion,
	})
	server := tls.Server(&spoken{far, "<", s}, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	})
	done := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(server, make([]byte, len(request)))
		io.WriteString(server, response)
		done <- err
	}()
	if _, err := io.WriteString(client, request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, len(response))); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	near.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.text, "%.3f < R. %d ack %d\n", s.at+0.01, s.seq["<"], s.seq[">"])
	return s.text.String(), log.String()
}

// TestSecretsWithinTLS has the secretive dialogue within TLS, and a key log: what is decrypted is as
// secret as what was in clear, and the key log more so.
func TestSecretsWithinTLS(t *testing.T) {
	t.Parallel()
	request := "POST http://ann:S3CRET@shop.example/a\x1b[31m/b;sid=S3CRET?token=S3CRET HTTP/1.1\r\n" +
		"Host: shop\x1b]0;x\x07.example\r\nCookie: crumb=S3CRET\r\nAuthorization: Basic S3CRET\r\n" +
		"User-Agent: S3CRET (S3CRET)\r\nContent-Length: 12\r\n\r\npass=S3CRET!"
	response := "HTTP/1.1 200 S3CRET\r\nSet-Cookie: crumb=S3CRET\r\nServer: x\x1b31m\r\n" +
		"Content-Length: 999\r\n\r\nS3CRET"
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		text, keys := withinTLS(t, request, response, version)
		file := secretiveFile(t, text)
		log := filepath.Join(t.TempDir(), "keys.txt")
		wrong := filepath.Join(t.TempDir(), "wrong.txt")
		for name, lines := range map[string]string{
			log:   keys + "S3CRET is no line\nCLIENT_RANDOM S3CRET S3CRET\n",
			wrong: strings.ReplaceAll(keys, "a", "b") + "S3CRET\n",
		} {
			if err := os.WriteFile(name, []byte(lines), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{log, wrong} {
			for what, out := range everyOutput(t, file, "--keylog", name) {
				if name == log && !strings.Contains(out, "POST") &&
					strings.HasPrefix(what, "json") {
					t.Errorf("%s: nothing was decrypted", what)
				}
				checkHarmless(t, what, out, false)
				checkNoKeys(t, what, out, keys)
			}
		}
	}
}

// checkNoKeys looks for parts of the secrets of a key log.
func checkNoKeys(t *testing.T, what, out, keys string) {
	t.Helper()
	out = strings.ToLower(out)
	for line := range strings.Lines(keys) {
		secret := strings.Fields(line)[2]
		for i := 0; i+16 <= len(secret); i += 8 {
			if strings.Contains(out, secret[i:i+16]) {
				t.Fatalf("%s: prints a part of a secret", what)
			}
		}
	}
}

// TestSecretsInErrors names files that are no key logs.
func TestSecretsInErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := filepath.Join(dir, "server.key")
	text := "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----\n"
	if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		key:                          "that is no key log of TLS",
		dir:                          "that is a directory",
		filepath.Join(dir, "absent"): "no such file",
	} {
		var stdout, stderr bytes.Buffer
		status := cli.Run([]string{"--keylog", name, secretiveFile(t, secretive)}, nil, &stdout,
			&stderr)
		got := stderr.String()
		if status != cli.ExitError || !strings.Contains(got, want) ||
			strings.Contains(got, "S3CRET") {
			t.Errorf("%s: status %d, %s", name, status, got)
		}
	}
}
