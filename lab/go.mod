module tcpwhy/lab

go 1.26.0

replace tcpwhy => ..

require (
	github.com/coder/websocket v1.8.15
	github.com/quic-go/quic-go v0.59.1
	golang.org/x/sys v0.50.0
	google.golang.org/grpc v1.85.0
	tcpwhy v0.0.0-00010101000000-000000000000
)

require (
	github.com/quic-go/qpack v0.6.0 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.44.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
