package quic

import _ "tcpwhy/internal/golden"
