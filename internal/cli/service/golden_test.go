package service

import _ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
