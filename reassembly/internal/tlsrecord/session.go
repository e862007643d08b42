package tlsrecord

import (
	"iter"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/keylog"
	"tcpwhy/reassembly/internal/tlscrypt"
)

// maxMasters caps how many master secrets are tried on a resumed session that has no line of its
// own in the log: each takes some microseconds.
const maxMasters = 4096

// session is what the hellos say that keys follow from.
type session struct {
	seen   bool          // a ClientHello has been seen, or the beginning of one
	random keylog.Random // of it
	chosen bool          // a ServerHello has been seen, and said what follows
	number uint16        // of the suite
	suite  *tlscrypt.Suite
	hellos tlscrypt.Hellos
	master string // what opened a record of either side, up to TLS 1.2
	// which sides have changed ciphers; and whether the server did so first, as who resumes a
	// session does (RFC 5077 §3.1)
	changed [2]bool
	short   bool
}

// change takes note of a ChangeCipherSpec up to TLS 1.2.
func (n *session) change(dir exchange.Dir) {
	n.short = n.short || dir == exchange.FromServer && !n.changed[exchange.FromClient]
	n.changed[dir] = true
}

// serverHello takes what the server chose. Records that are compressed cannot be opened.
func (n *session) serverHello(version, suite, compression int, random []byte, etm bool) {
	n.number = uint16(suite)
	n.hellos = tlscrypt.Hellos{
		Version: uint16(version), Client: n.random, EncryptThenMAC: etm,
	}
	copy(n.hellos.Server[:], random)
	n.suite = nil
	if known, ok := tlscrypt.SuiteOf(n.hellos.Version, n.number); ok && compression == 0 {
		n.suite = known
	}
}

// modern reports whether the session is one of TLS 1.3.
func (n *session) modern() bool { return n.hellos.Version == tlscrypt.TLS13 }

// stage is which secrets protect the records of one direction.
type stage uint8

const (
	inClear     stage = iota
	early             // 0-RTT data of the client (RFC 8446 §4.2.10)
	handshaking       // from the ServerHello to the Finished of the direction, from TLS 1.3 on
	application       // after that; up to TLS 1.2 after each ChangeCipherSpec
)

// labels are those of the secrets of TLS 1.3, by direction and stage.
var labels = [2][application + 1]keylog.Label{
	exchange.FromClient: {
		early:       keylog.ClientEarlySecret,
		handshaking: keylog.ClientHandshakeSecret,
		application: keylog.ClientApplicationSecret,
	},
	exchange.FromServer: {
		handshaking: keylog.ServerHandshakeSecret,
		application: keylog.ServerApplicationSecret,
	},
}

// keys are those that may open records of dir in a stage, the likeliest first. Each use derives
// them anew.
func (t *reader) keys(dir exchange.Dir, at stage) iter.Seq[*tlscrypt.Keys] {
	return func(yield func(*tlscrypt.Keys) bool) {
		switch n := &t.session; {
		case at == inClear || at == early && dir == exchange.FromServer:
		case at == early:
			t.earlyKeys(yield)
		case n.suite == nil:
		case !n.modern():
			t.masterKeys(dir, yield)
		default:
			for _, secret := range t.c.Shared.Secrets.Of(n.random, labels[dir][at]) {
				k := tlscrypt.FromTraffic(n.suite, []byte(secret))
				if k != nil && !yield(k) {
					return
				}
			}
		}
	}
}

// earlyKeys are those of 0-RTT data: its suite is that of a session before, and only the length of
// the secret tells of it.
func (t *reader) earlyKeys(yield func(*tlscrypt.Keys) bool) {
	for _, secret := range t.c.Shared.Secrets.Of(t.session.random, keylog.ClientEarlySecret) {
		for _, suite := range tlscrypt.SuitesFor(len(secret)) {
			if !yield(tlscrypt.FromTraffic(suite, []byte(secret))) {
				return
			}
		}
	}
}

// masterKeys are those of dir up to TLS 1.2.
func (t *reader) masterKeys(dir exchange.Dir, yield func(*tlscrypt.Keys) bool) {
	n := &t.session
	for master := range t.masters() {
		client, server := tlscrypt.FromMaster(n.suite, &n.hellos, []byte(master))
		k := client
		if dir == exchange.FromServer {
			k = server
		}
		t.attempt = master
		if !yield(k) {
			return
		}
	}
}

// masters are the master secrets that the session may have: the one that opened what the other side
// sent; those of its line; and if it has none, those of all sessions that it may resume.
func (t *reader) masters() iter.Seq[string] {
	return func(yield func(string) bool) {
		n := &t.session
		if n.master != "" {
			yield(n.master)
			return
		}
		own := t.c.Shared.Secrets.Of(n.random, keylog.MasterSecret)
		for _, master := range own {
			if !yield(master) {
				return
			}
		}
		if len(own) > 0 || !t.resumes() {
			return
		}
		tries := 0
		for master := range t.c.Shared.Secrets.Masters() {
			if tries++; tries > maxMasters || !yield(master) {
				return
			}
		}
	}
}

// resumes reports whether the session is one that goes on from another, up to TLS 1.2: the server
// echoes its ID, or changes ciphers first.
func (t *reader) resumes() bool { return t.info.Resumed || t.session.short }
