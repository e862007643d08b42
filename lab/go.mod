module tcpwhy/lab

go 1.26.0

replace tcpwhy => ..

require (
	golang.org/x/sys v0.50.0
	tcpwhy v0.0.0-00010101000000-000000000000
)
