// Package service tells a manager of services, such as systemd, how a live capture fares: that it
// has begun, that it goes on, and that it ends (sd_notify(3)). Whoever started the program names
// the socket for that in its environment; else nothing is told.
package service

import (
	"net"
	"os"
	"strconv"
	"time"
)

// statusEvery is how often the line changes that systemctl status shows.
const statusEvery = 10 * time.Second

// patience is how long a message may take: the manager reads them at once, or has other worries
// than ours, and meanwhile nothing is captured.
const patience = 10 * time.Millisecond

// feeds is how often within its time a watchdog is fed.
const feeds = 3

// Manager is who is told. A nil one is nobody. It is for one goroutine, that of the analysis, so
// that the watchdog bites when that hangs, and not only when the whole program does.
type Manager struct {
	conn   net.Conn
	every  time.Duration // 0: there is no watchdog
	fed    time.Time
	status time.Time // when it was last told
}

// Open is the manager that the environment names; nil if there is none.
func Open(getenv func(string) string) *Manager {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", name) // a name that begins with @ is abstract
	if err != nil {
		return nil // sd_notify(3): nobody is to fail for it
	}
	m := &Manager{conn: conn}
	pid := getenv("WATCHDOG_PID")
	if pid == "" || pid == strconv.Itoa(os.Getpid()) {
		if µs, err := strconv.ParseUint(getenv("WATCHDOG_USEC"), 10, 53); err == nil {
			m.every = time.Duration(µs) * time.Microsecond / feeds
		}
	}
	return m
}

// send sends one message, if that is possible at once.
func (m *Manager) send(message string) {
	_ = m.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = m.conn.Write([]byte(message))
}

// Ready says that the capture has begun.
func (m *Manager) Ready() {
	if m != nil {
		m.send("READY=1")
	}
}

// Tick says that the capture goes on, and now and then what it has seen.
func (m *Manager) Tick(now time.Time, status func() string) {
	if m == nil {
		return
	}
	if m.every > 0 && now.Sub(m.fed) >= m.every {
		m.fed = now
		m.send("WATCHDOG=1")
	}
	if now.Sub(m.status) >= statusEvery {
		m.status = now
		m.send("STATUS=" + status())
	}
}

// Stopping says that the capture is over and its report is being drawn up.
func (m *Manager) Stopping() {
	if m == nil {
		return
	}
	m.send("STOPPING=1\nSTATUS=the report is being written")
	if m.every > 0 {
		m.send("WATCHDOG=1")
	}
}

// Close ends it.
func (m *Manager) Close() {
	if m != nil {
		m.conn.Close()
	}
}
