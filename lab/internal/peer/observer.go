//go:build linux

package peer

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Sample is what the kernel says of a socket of the server at one moment (struct tcp_info).
type Sample struct {
	AtMS     float64 `json:"at_ms"`      // since the run's start
	Cwnd     uint32  `json:"cwnd"`       // segments
	SSThresh uint32  `json:"ssthresh"`   // segments
	Unacked  uint32  `json:"unacked"`    // segments in flight
	Window   uint32  `json:"window"`     // octets that the client allows
	Retrans  uint32  `json:"retrans"`    // segments sent again so far
	RTTMS    float64 `json:"rtt_ms"`     // smoothed
	BusyMS   float64 `json:"busy_ms"`    // so far: data was waiting or under way
	RwndMS   float64 `json:"rwnd_ms"`    // of that: held by the receive window
	SndbufMS float64 `json:"sndbuf_ms"`  // of that: held by the send buffer
	Acked    uint64  `json:"acked"`      // octets
	Sent     uint64  `json:"bytes_sent"` // octets, with those sent again
}

// A KernelLog is the samples of one connection of the server.
type KernelLog struct {
	Client  string   `json:"client"` // address and port
	Samples []Sample `json:"samples"`
}

// A Served request is what the server's application saw of it.
type Served struct {
	Client  string  `json:"client"`
	Number  int     `json:"number"`   // on its connection, from 1
	ReadMS  float64 `json:"read_ms"`  // when it had been read, body included
	WroteMS float64 `json:"wrote_ms"` // when the last write of the response returned
}

// MaxSampled is how many connections of a run are sampled: those after them are not.
const MaxSampled = 24

const (
	sampleEvery = 4 * time.Millisecond
	maxSamples  = 4000 // of a connection
)

// An Observer collects what the server's side says.
type Observer struct {
	Start  time.Time // of the run
	Kernel []*KernelLog
	Served []Served

	mu      sync.Mutex
	samples int // connections taken
}

// Since is a moment in milliseconds since the run's start.
func (o *Observer) Since(t time.Time) float64 { return millis(t.Sub(o.Start)) }

// Serves records a request that the server's application has answered.
func (o *Observer) Serves(s Served) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Served = append(o.Served, s)
}

// Watch samples a connection until stop is called, which takes the last sample.
func (o *Observer) Watch(c *net.TCPConn) (stop func()) {
	o.mu.Lock()
	o.samples++
	full := o.samples > MaxSampled
	o.mu.Unlock()
	raw, err := c.SyscallConn()
	if err != nil || full {
		return func() {}
	}
	log := &KernelLog{Client: c.RemoteAddr().String()}
	end, done := make(chan struct{}), make(chan struct{})
	take := func() bool {
		var s Sample
		ok := false
		if raw.Control(func(fd uintptr) { s, ok = o.sample(int(fd)) }) == nil && ok {
			log.add(s)
		}
		return ok
	}
	go func() {
		defer close(done)
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for take() {
			select {
			case <-tick.C:
			case <-end:
				take()
				return
			}
		}
	}()
	return func() {
		close(end)
		<-done
		o.mu.Lock()
		o.Kernel = append(o.Kernel, log)
		o.mu.Unlock()
	}
}

// add keeps a sample that differs from the one before, and always the latest.
func (k *KernelLog) add(s Sample) {
	n := len(k.Samples)
	if n > 0 {
		last := k.Samples[n-1]
		last.AtMS = s.AtMS
		if last == s && n > 1 {
			k.Samples[n-1] = s
			return
		}
	}
	if n >= maxSamples {
		k.Samples[n-1] = s
		return
	}
	k.Samples = append(k.Samples, s)
}

func (o *Observer) sample(fd int) (Sample, bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return Sample{}, false
	}
	ms := func(us uint64) float64 { return float64(us) / 1000 }
	return Sample{
		AtMS:     o.Since(time.Now()),
		Cwnd:     info.Snd_cwnd,
		SSThresh: info.Snd_ssthresh,
		Unacked:  info.Unacked,
		Window:   info.Snd_wnd,
		Retrans:  info.Total_retrans,
		RTTMS:    ms(uint64(info.Rtt)),
		BusyMS:   ms(info.Busy_time),
		RwndMS:   ms(info.Rwnd_limited),
		SndbufMS: ms(info.Sndbuf_limited),
		Acked:    info.Bytes_acked,
		Sent:     info.Bytes_sent,
	}, true
}
