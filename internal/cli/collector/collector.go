// Package collector hands spans to a collector of OpenTelemetry, over HTTP (OTLP 1.x, OTLP/HTTP
// with JSON). It speaks HTTP/1.1 itself, in clear: what the standard library has for that is half
// of the standard library, and a collector that is asked from here is one of this machine or its
// network.
package collector

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Options are the flag, and how long is waited.
type Options struct {
	Endpoint string // --otlp-endpoint; "": nothing is sent
	// of one request, of all of them together, and before the second attempt; each further attempt
	// waits twice as long as the one before. Zero is usual.
	Attempt, All, Pause time.Duration
}

// What is usual: the timeout of one request is that of OTLP exporters (OTLP exporter
// configuration).
const (
	usualAttempt = 10 * time.Second
	usualAll     = time.Minute
	usualPause   = 500 * time.Millisecond
	mostAttempts = 5
	longestPause = 10 * time.Second // that a Retry-After is honoured for
	defaultPort  = "4318"           // of OTLP/HTTP
	tracesPath   = "/v1/traces"
)

// Flag adds the flag.
func (o *Options) Flag(f *pflag.FlagSet) {
	f.StringVar(&o.Endpoint, "otlp-endpoint", "",
		"send spans (-F otlp) to the collector at `URL`, such as\nhttp://localhost:4318; "+
			"other formats are written, too")
}

// Check refuses an endpoint that cannot be asked.
func (o *Options) Check() error {
	if o.Endpoint == "" {
		return nil
	}
	_, err := o.target()
	return err
}

// target is where requests go to.
type target struct{ address, host, path string }

func (o *Options) target() (t target, err error) {
	refuse := func(why string) (target, error) {
		return t, fmt.Errorf("--otlp-endpoint %q: %s", o.Endpoint, why)
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil:
		return refuse("it is no URL; http://localhost:4318 is")
	case u.Scheme == "https":
		return refuse(
			"only http is spoken: send to a collector of this machine, " +
				"or pipe -F otlp to curl",
		)
	case u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return refuse("it is no URL of HTTP; http://localhost:4318 is")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return refuse("it may have host, port and path alone")
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	t.address, t.host = net.JoinHostPort(u.Hostname(), port), u.Host
	if t.path = strings.TrimRight(u.EscapedPath(), "/"); !strings.HasSuffix(t.path, tracesPath) {
		t.path += tracesPath
	}
	return t, nil
}

// Send sends requests, one after the other, and returns what collectors said of those that they
// took in. A request that fails for now is sent again; time is bounded in any case.
func (o *Options) Send(
	lines func(yield func([]byte) bool),
	version string,
) (replies [][]byte, err error) {
	t, err := o.target()
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(or(o.All, usualAll))
	n := 0
	for line := range lines {
		n++
		reply, sendErr := o.send(t, line, version, end)
		if sendErr != nil {
			err = fmt.Errorf("--otlp-endpoint %s: request %d: %w", o.Endpoint, n, sendErr)
			break
		}
		replies = append(replies, reply)
	}
	return replies, err
}

func or(d, usual time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual
}

// errLater is an answer after which a request may be sent again.
type errLater struct {
	error
	after time.Duration // 0: it does not say
}

// send sends one request, again if it has to be.
func (o *Options) send(t target, body []byte, version string, end time.Time) ([]byte, error) {
	pause := or(o.Pause, usualPause)
	for attempt := 1; ; attempt++ {
		deadline := time.Now().Add(or(o.Attempt, usualAttempt))
		if deadline.After(end) {
			deadline = end
		}
		reply, err := t.post(body, version, deadline)
		var later *errLater
		if err == nil || !errors.As(err, &later) || attempt == mostAttempts {
			return reply, err
		}
		wait := max(pause, min(later.after, longestPause))
		if time.Now().Add(wait).After(end) {
			return nil, err
		}
		time.Sleep(wait)
		pause *= 2
	}
}
