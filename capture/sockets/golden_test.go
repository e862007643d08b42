package sockets

import _ "tcpwhy/internal/golden" // -update
