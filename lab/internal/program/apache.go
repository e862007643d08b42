//go:build linux

package program

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"tcpwhy/lab/internal/peer"
)

// Apache is the real one, with the event MPM.
type Apache struct {
	Body     int
	Settings string // of the main server, lines
}

// About names the version and the settings.
func (a Apache) About() string {
	return fmt.Sprintf("%s; %s; body of %d octets",
		Version("apache2", "-v"), strings.ReplaceAll(a.Settings, "\n", ", "), a.Body)
}

const apacheConfig = `
ServerRoot %[1]s
ServerName server.lab
PidFile %[1]s/apache.pid
ErrorLog %[1]s/error.log
Mutex file:%[1]s
Listen %[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User %[3]s
Group www-data
DocumentRoot %[1]s/pages
KeepAlive On
%[4]s
`

// Start runs Apache in the foreground.
func (a Apache) Start(ctx context.Context, e *peer.Env) (func(), error) {
	if _, err := user.Lookup("www-data"); err != nil {
		return nil, fmt.Errorf("apache needs its user: %w", err)
	}
	if err := os.Chmod(e.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(e.Dir, "pages", "item"), 0o755); err != nil {
		return nil, err
	}
	page := string(peer.Fill(a.Body))
	for n := range 20 {
		if _, err := place(e, fmt.Sprintf("pages/item/%d", n), page); err != nil {
			return nil, err
		}
	}
	file, err := place(e, "apache.conf",
		fmt.Sprintf(apacheConfig, e.Dir, e.ServerAddress(), "www-data", a.Settings))
	if err != nil {
		return nil, err
	}
	return serve(ctx, e, "apache2", "-f", file, "-DFOREGROUND")
}
