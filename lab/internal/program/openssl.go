//go:build linux

package program

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/world"
)

// EarlyOpenSSL is openssl s_client, twice: the second time it resumes the session of the first, and
// sends its request as early data.
type EarlyOpenSSL struct {
	// nginx is started anew in between: the keys of its tickets are new. The client says its
	// request again then.
	Restart bool
}

// About names the version and what it does.
func (o EarlyOpenSSL) About() string {
	words := Version(
		"openssl",
		"version",
	) + " s_client, twice; the second run resumes the session " +
		"of the first, and sends its request as early data"
	if o.Restart {
		words += "; nginx was started anew in between, and has new keys for tickets"
	}
	return words
}

// Drive runs it: what the server says ends each run, as it closes then.
func (o EarlyOpenSSL) Drive(ctx context.Context, e *peer.Env) error {
	session := filepath.Join(e.Dir, "session")
	request, err := place(e, "request",
		"GET /item/1 HTTP/1.1\r\nHost: server.lab\r\nConnection: close\r\n\r\n")
	if err != nil {
		return err
	}
	line := fmt.Sprintf("exec openssl s_client -connect %s -servername server.lab -keylogfile %s "+
		"-ign_eof -tls1_3 ", e.Goal(), e.KeyLog())
	first := line + "-sess_out " + session + " < " + request
	second := line + fmt.Sprintf("-sess_in %s -early_data %s", session, request)
	if o.Restart {
		second += " < " + request
	} else {
		second += " < /dev/null"
	}
	for n, shell := range []string{first, second} {
		if n > 0 && o.Restart {
			stop, err := restartNginx(ctx, e)
			if err != nil {
				return err
			}
			defer stop()
		}
		began := time.Now()
		_, err := run(ctx, e, "sh", "-c", shell)
		e.Log.Add(began, peer.Request{Status: 200}, err)
	}
	return nil
}

// restartNginx ends the server and starts it anew, as the same configuration says.
func restartNginx(ctx context.Context, e *peer.Env) (stop func(), err error) {
	text, err := os.ReadFile(filepath.Join(e.Dir, "nginx.pid"))
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return nil, err
	}
	for range 200 {
		if !world.Listening(e.Server, world.ServerPort) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return serve(ctx, e, "nginx", "-c", filepath.Join(e.Dir, "nginx.conf"),
		"-e", filepath.Join(e.Dir, "error.log"))
}
