package metrics

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

const (
	// mostConns is how many scrapers are talked to at a time: more wait.
	mostConns = 32
	// mostScrapes is how many scrapes are drawn up at a time; more are refused.
	mostScrapes = 4
	// headerTime, writeTime and idleTime are how long a scraper may take for its request, to take
	// the answer, and until its next one. Scrapers themselves give up after 10 s, usually.
	headerTime = 5 * time.Second
	writeTime  = 15 * time.Second
	idleTime   = 2 * time.Minute
	// longestSilence is since when nothing may have been read for /healthz to be good. A capture
	// looks ten times a second, also in silence.
	longestSilence = 10 * time.Second
)

// server answers scrapers.
type server struct {
	listener net.Listener
	http     http.Server
	running  sync.WaitGroup
	began    time.Time
	ticked   atomic.Int64 // when the capture was last seen to go on, since began
}

func (s *server) begin() { s.began = time.Now() }

// Serve begins to answer.
func (m *Metrics) Serve() {
	scrape := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: mostScrapes,
		ErrorHandling:       promhttp.ContinueOnError,
	})
	paths := http.NewServeMux()
	paths.Handle("/metrics", scrape)
	paths.HandleFunc("/healthz", m.server.health)
	m.server.http = http.Server{
		Handler:           onlyGet(paths),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // what strangers send is no news
	}
	m.server.running.Go(func() {
		// It ends with the listener.
		_ = m.server.http.Serve(netutil.LimitListener(m.server.listener, mostConns))
	})
}

// onlyGet refuses what is no question, and a question with a body.
func onlyGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// health says whether the capture goes on.
func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	silent := time.Since(s.began) - time.Duration(s.ticked.Load())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if silent > longestSilence {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "nothing was read for %d s\n", int(silent/time.Second))
		return
	}
	fmt.Fprintln(w, "ok")
}

// Close ends it, also towards scrapers that are being answered.
func (m *Metrics) Close() {
	m.server.listener.Close()
	m.server.http.Close()
	m.server.running.Wait()
}
