//go:build linux

package catalog

import (
	"strings"
	"time"

	"tcpwhy/lab/internal/program"
	"tcpwhy/lab/internal/scenario"
)

// h2Forgets asks for three things, one after the other, and gives up what has not come after three
// seconds. GRANTS are the streams for which it lets more come as it reads.
const h2Forgets = `
import json, socket, time
import h2.config, h2.connection, h2.events, h2.exceptions
sock = socket.create_connection(('%[1]s', %[2]d))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
conn.initiate_connection()
start = time.time()
for n in range(3):
    began, status, octets, over, failed = time.time(), 0, 0, False, ''
    stream = conn.get_next_available_stream_id()
    conn.send_headers(stream, [(':method', 'GET'), (':scheme', 'http'),
        (':authority', 'server.lab'), (':path', '/medium?n=' + str(n+1))], end_stream=True)
    sock.sendall(conn.data_to_send())
    while not over and not failed:
        sock.settimeout(max(0.001, began + 3 - time.time()))
        try: data = sock.recv(65536)
        except socket.timeout:
            failed = 'timeout'
            conn.reset_stream(stream, 8)
            data = b''
        for e in conn.receive_data(data):
            if isinstance(e, h2.events.ResponseReceived):
                status = int(dict(e.headers)[b':status'])
            if isinstance(e, h2.events.DataReceived):
                octets += len(e.data)
                for s in GRANTS:
                    try: conn.increment_flow_control_window(e.flow_controlled_length, s)
                    except h2.exceptions.StreamClosedError: pass
            if isinstance(e, h2.events.StreamEnded): over = True
        sock.sendall(conn.data_to_send())
    line = dict(number=n+1, connection=1, start_ms=(began-start)*1e3,
        end_ms=(time.time()-start)*1e3, status=status, bytes=octets)
    if failed: line['error'] = failed
    print(json.dumps(line))
    time.sleep(0.1)
conn.close_connection()
sock.sendall(conn.data_to_send())
sock.close()
`

func forgets(words, grants string) program.Script {
	return program.Script{
		Words: "h2, " + words, Program: "/usr/bin/python3",
		Text: strings.ReplaceAll(h2Forgets, "GRANTS", grants),
	}
}

func h2ForgetsConnection(time.Duration) scenario.Scenario {
	return scenario.Scenario{
		Name: "h2-window-never-updated",
		About: "a client lets more come for its streams, and never for the connection: of three " +
			"responses of 60 kB the second stops after 65,535 octets of all, and the third, too",
		Expect: scenario.Expect{
			Rule: "h2-flow-control", Cause: "never-updated", Also: growing(),
		},
		Server: nginxHTTP2(),
		Client: forgets("lets more come for streams only", "[stream]"),
		Fix: func(s *scenario.Scenario) {
			s.Client = forgets("lets more come for streams and the connection", "[stream, None]")
		},
	}
}

// h2ForgetsStream is the same with the other window.
func h2ForgetsStream(rtt time.Duration) scenario.Scenario {
	s := h2ForgetsConnection(rtt)
	s.Name = "h2-stream-window-never-updated"
	s.About = "a client lets more come for the connection, and never for its streams: each of " +
		"three responses of 80 kB stops after 65,535 octets"
	server := program.HTTP2{Program: "nginx", Files: map[string]int{"medium": 80_000}}
	s.Server = server
	s.Expect.Also = append(growing(), "h2-flow-control/connection") // what is left
	s.Client = forgets("lets more come for the connection only", "[None]")
	return s
}
