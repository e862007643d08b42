package ledger

import (
	"time"

	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

// UsualInitial is the initial window of RFC 6928, in segments.
const UsualInitial = 10

// measure fills in what the transfer of the exchange's messages showed, when it is over.
func (s *Connection) measure(j *Exchange) {
	x := j.Parsed
	sender := &s.Walk.Send[reassembly.FromServer]
	j.Rounds = append(j.Rounds[:0], sender.rounds...)
	j.Flow.Rtt = max(s.Conn.RTTMin(), sender.echoes.period)
	j.Flow.Mss = int64(s.Conn.Half[reassembly.FromServer].Eff)
	j.Flow.Flight = sender.flight
	j.Flow.Initial = sender.initial
	s.measureRequest(j)
	if x.Response == nil {
		return
	}
	j.Flow.Bytes = x.Response.HeaderBytes + x.Response.BodyBytes
	s.transferred(&j.Flow, reassembly.FromServer, x.Response)
	j.Flow.Stamped = sender.Stamps.Tick > 0
	j.Flow.Pieces[reassembly.FromServer] = sender.pieces
	j.Flow.Pieces[reassembly.FromClient] = s.Walk.Send[reassembly.FromClient].pieces
}

// transferred fills in what the transfer of m, which dir sent, showed of its sender.
func (s *Connection) transferred(f *Flow, dir reassembly.Dir, m *reassembly.Message) {
	sender := &s.Walk.Send[dir]
	f.Mss = int64(s.Conn.Half[dir].Eff)
	f.Flight = sender.flight
	f.Largest = s.largest[dir]
	s.largest[dir] = max(s.largest[dir], f.Bytes)
	f.Measured = m.End.Time - m.Start.Time
	f.Initial = sender.initial
	if len(sender.rounds) > 0 {
		f.Initial = sender.rounds[0].Bytes
	}
	if s.Conn.Scaled() && sender.edge > sender.ack {
		f.Window = sender.edge - sender.ack
	}
	f.Rate = sender.pathRate(f.Mss, float64(f.Bytes)/max(f.Measured.Seconds(), 1e-9))
	f.Rwnd = sender.rwnd
	f.Queue = sender.queue
	f.Idle = sender.Growth.idle
}

// WindowTime is what dir's message spent waiting for a congestion window.
func (j *Exchange) WindowTime(dir reassembly.Dir) time.Duration {
	return j.Spent(
		dir,
		report.SlowStart,
	) + j.Spent(
		dir,
		report.SlowStartIdle,
	) + j.Spent(
		dir,
		report.CongAvoid,
	) + j.Spent(
		dir,
		report.RecoveryCwnd,
	)
}

// Facts are what the transfer of dir's message showed; nil if it was too small to tell.
func (j *Exchange) Facts(dir reassembly.Dir) *Flow {
	if dir == reassembly.FromClient {
		return j.Up
	}
	return &j.Flow
}

// TransferTime is what ideal is to be compared with.
func (j *Exchange) TransferTime(dir reassembly.Dir) time.Duration {
	took := j.WindowTime(dir)
	if j.Facts(dir).Rate > 0 {
		took += j.Spent(dir, report.Serialize)
	}
	return took
}
