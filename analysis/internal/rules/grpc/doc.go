// Package grpc has the rules about calls of gRPC: how they end, and how they follow each other.
package grpc
