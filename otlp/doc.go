// Package otlp has the test that reads spans back by the package of the OpenTelemetry collector
// itself. It is a module of its own, so that this is no dependency of the program.
package otlp
