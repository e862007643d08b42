package connect

import (
	"slices"
	"time"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

const (
	fewPortsCause = "few-ports"
	// fewPortsMost is how many ports of a client towards a service are followed one by one. A port
	// rests for 60 s (Linux: TCP_TIMEWAIT_LEN), so that up to 64 are used up by one connection a
	// second; what is used up by more than that shows as time-wait-load.
	fewPortsMost = 64
	// fewPortsLeast is how many it must use: a program that binds one, or has one for each of a few
	// jobs, does so on purpose (reasoning).
	fewPortsLeast = 4
	// usesEach is how often each of them must have been used: Linux takes the ports of its range in
	// turn (net/ipv4/inet_hashtables.c, __inet_hash_connect), so that one comes again only when all
	// have been tried.
	usesEach = 2
)

// portTurns follows the ports of a client that seems to have few: how many they are, shows when
// they come again.
type portTurns struct {
	rests []portRest   // at most fewPortsMost
	many  bool         // too many to be few
	uses  int          // connections
	met   int          // of them, begun while the server rested on the last one
	first capture.Mark // the first SYN that met a rest
	last  capture.Mark // the latest, and its connection
	conn  *rule.Conn
	id    int
}

// portRest is a port, and when the server closed its last connection; -1: not so.
type portRest struct {
	port  uint16
	since time.Duration
}

// of is what is known of a port; nil if it was not used.
func (t *portTurns) of(port uint16) *portRest {
	i := slices.IndexFunc(t.rests, func(r portRest) bool { return r.port == port })
	if i < 0 {
		return nil
	}
	return &t.rests[i]
}

// began takes note of a connection from a port.
func (t *portTurns) began(c *rule.Conn, port uint16, syn capture.Mark) {
	if t.many {
		return
	}
	rest := t.of(port)
	if rest == nil && len(t.rests) == fewPortsMost {
		*t = portTurns{many: true}
		return
	}
	t.uses++
	if rest == nil {
		t.rests = append(t.rests, portRest{port, -1})
		return
	}
	since := rest.since
	rest.since = -1
	if since >= 0 && syn.Time-since < restSeconds*time.Second {
		if t.met++; t.met == 1 {
			t.first = syn
		}
		t.last, t.conn, t.id = syn, c, c.Id
	}
}

// closed takes note of who closed the connection of a port, and so rests on it (RFC 9293 §3.6.1). A
// RST leaves nothing to rest on.
func (t *portTurns) closed(port uint16, e *rule.Closing) {
	if rest := t.of(port); rest != nil && e.Fin == reassembly.FromServer && !e.Reset {
		rest.since = e.At.Time
	}
}

// few reports whether the client goes round so few ports that each comes again while the server
// still rests on it.
func (t *portTurns) few() bool {
	n := len(t.rests)
	return !t.many && n >= fewPortsLeast && t.uses >= usesEach*n && t.met >= n
}

// claim is the claim about them.
func (t *portTurns) claim() rule.Claim {
	return rule.Claim{
		Rule:       portExhaustionRule,
		Cause:      fewPortsCause,
		Confidence: report.ConfidenceHigh,
		Least:      report.Medium,
		Most:       rule.AtMost(report.Medium),
		Says: []rule.Said{
			rule.Say(portsInTurn, int64(len(t.rests)), int64(t.uses), int64(t.met)),
		},
		Occ: rule.Occurrence{
			Connection: t.id,
			Exchange:   -1,
			Start:      t.first.Time,
			End:        t.last.Time,
			Proof:      []rule.Evidence{rule.Shows(t.last, report.SideClient, portUsedBefore)},
		},
	}
}
