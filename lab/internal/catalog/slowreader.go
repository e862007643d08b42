//go:build linux

package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// slowReaderScenarios are programs that read slowly behind a window of HTTP/2 that is small, too.
func slowReaderScenarios() []scenario.Scenario {
	return slices.Concat(at(h2SlowSmall, 100), at(h2SlowHalf, 100))
}

// h2Reader is a client that takes pieces of what came, each after a pause, and lets as much more
// come when it has taken so much.
const h2Reader = `import json, select, socket, time
import h2.config, h2.connection, h2.events, h2.exceptions, h2.settings
PATHS, STREAM, CONNECTION, PIECE, EACH, STEP = SETTINGS
sock = socket.create_connection(('%[1]s', %[2]d))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
codes = h2.settings.SettingCodes
conn.local_settings = h2.settings.Settings(client=True, initial_values={
    codes.INITIAL_WINDOW_SIZE: STREAM, codes.ENABLE_PUSH: 0})
conn.initiate_connection()
if CONNECTION > 65535: conn.increment_flow_control_window(CONNECTION - 65535)
start = time.time()
got = {}
for i, path in enumerate(PATHS):
    conn.send_headers(2*i+1, [(':method', 'GET'), (':scheme', 'http'),
        (':authority', 'server.lab'), (':path', path)], end_stream=True)
    got[2*i+1] = dict(number=i+1, connection=1, start_ms=(time.time()-start)*1e3, status=0,
        bytes=0, lies=0, read=0, over=False)
sock.sendall(conn.data_to_send())
due = time.time()
open_streams = len(got)
def take(s, x, n):
    global open_streams
    x['lies'] -= n; x['read'] += n
    if x['read'] >= STEP or x['lies'] == 0 and x['over']:
        conn.increment_flow_control_window(x['read'])
        try: conn.increment_flow_control_window(x['read'], s)
        except h2.exceptions.StreamClosedError: pass
        x['read'] = 0
    if x['over'] and x['lies'] == 0 and 'end_ms' not in x:
        x['end_ms'] = (time.time()-start)*1e3
        open_streams -= 1
while open_streams:
    now = time.time()
    busy = any(x['lies'] for x in got.values())
    r, _, _ = select.select([sock], [], [], max(0, due-now) if busy else 5)
    if r:
        data = sock.recv(65536)
        if not data: break
        for e in conn.receive_data(data):
            s = getattr(e, 'stream_id', None); x = got.get(s)
            if isinstance(e, h2.events.ResponseReceived): x['status'] = int(dict(e.headers)[b':status'])
            if isinstance(e, h2.events.DataReceived):
                x['bytes'] += len(e.data)
                x['lies'] += e.flow_controlled_length
            if isinstance(e, h2.events.StreamEnded):
                x['over'] = True
                if x['lies'] == 0: take(s, x, 0)
    now = time.time()
    if now >= due:
        for s, x in got.items():
            if x['lies']:
                take(s, x, min(PIECE, x['lies']))
                due = now + EACH
    out = conn.data_to_send()
    if out: sock.sendall(out)
for x in got.values():
    for k in ('lies','read','over'): del x[k]
    print(json.dumps(x))
conn.close_connection(); sock.sendall(conn.data_to_send()); sock.close()
`

// reader is that client.
type reader struct {
	stream, connection int // windows
	piece              int
	each               time.Duration
	step               int // octets for which it lets more come
}

func (r reader) script() program.Script {
	settings := fmt.Sprintf("['/large'], %d, %d, %d, %v, %d", r.stream, r.connection, r.piece,
		r.each.Seconds(), r.step)
	return program.Script{
		Words: fmt.Sprintf("h2, windows of %d and %d octets; takes %d each %v, and lets more come "+
			"for each %d", r.stream, r.connection, r.piece, r.each, max(r.step, r.piece)),
		Program: "/usr/bin/python3",
		Text:    strings.ReplaceAll(h2Reader, "SETTINGS", settings),
	}
}

// slowReader is a scenario of a reader, cured by one that reads at once.
func slowReader(name, about string, r reader) scenario.Scenario {
	return scenario.Scenario{
		Name: name, About: about,
		Expect: scenario.Expect{
			Rule: "h2-flow-control", Cause: "application",
			Also: []string{"h2-flow-control/stream", "slow-start"}, // what is left
		},
		Link:   world.Link{Rate: [2]int64{50e6, 50e6}},
		Server: nginxHTTP2(),
		Client: r.script(),
		Fix: func(s *scenario.Scenario) {
			r.each = 0
			s.Client = r.script()
		},
	}
}

func h2SlowSmall(time.Duration) scenario.Scenario {
	return slowReader(
		"h2-slow-reader-small-window",
		"a client takes 16 kB of a response of 400 kB each 50 ms, behind a window of 65,535 octets "+
			"for its stream; with one of 4 MB it takes as long",
		reader{65535, 1 << 24, 16384, 50 * time.Millisecond, 1},
	)
}

func h2SlowHalf(time.Duration) scenario.Scenario {
	return slowReader("h2-slow-reader-half-window",
		"a client takes 16 kB of a response of 400 kB each 50 ms, and lets more come when it has "+
			"taken half of its window of 65,535 octets",
		reader{65535, 1 << 24, 16384, 50 * time.Millisecond, 32767})
}
