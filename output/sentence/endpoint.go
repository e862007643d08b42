package sentence

import (
	"tcpwhy/analysis/report"
	"tcpwhy/output/mask"
	"tcpwhy/output/wording"
)

// EndpointName is its method and template, with its host between them if that is wanted.
func (t *Teller) EndpointName(e *report.Endpoint, host bool) string {
	name := mask.ASCII(e.Method) + " "
	if host {
		name += t.HostOf(e)
	}
	return name + mask.Target(e.Template, false, longName)
}

// HostOf is the host of an endpoint where there are several; "" where it need not be said.
func (t *Teller) HostOf(e *report.Endpoint) string {
	switch {
	case e.Behind && len(t.Report.Proxied.Servers) > 1:
		return wording.Server(e.Server)
	case e.Behind || !t.SeveralHosts():
	case e.Host != "":
		return mask.Host(e.Host)
	case e.Server.IsValid():
		return wording.Server(e.Server)
	}
	return ""
}

// SeveralHosts reports whether endpoints with a path are of more than one host.
func (t *Teller) SeveralHosts() bool {
	var first *report.Endpoint
	for i := range t.Report.Endpoints {
		e := &t.Report.Endpoints[i]
		switch {
		case e.Method == "" || e.Behind:
		case first == nil:
			first = e
		case first.Host != e.Host || first.Server != e.Server:
			return true
		}
	}
	return false
}
