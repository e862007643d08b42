package report

import "tcpwhy/reassembly"

// QUIC is what there was of it in the capture, as far as everybody can read it.
type QUIC struct {
	reassembly.QUICTally
	Share float64 // of the octets of QUIC and TCP together, payloads only; from 0 to 1
}
