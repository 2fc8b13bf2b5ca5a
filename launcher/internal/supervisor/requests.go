package supervisor

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/protocol"
)

// handle answers a request, or begins an operation that will.
func (s *Supervisor) handle(call link.Call) {
	operations := map[string]func(link.Call) error{
		"status":  s.status,
		"start":   s.start,
		"prepare": s.prepare,
		"freeze":  s.freeze,
		"dump":    s.dump,
		"renew":   s.renew,
		"thaw":    s.thaw,
		"leave":   s.leave,
		"restore": s.restore,
		"signal":  s.signal,
	}
	operation, known := operations[call.Op]
	if !known {
		refuse(call, protocol.Failed("BadRequest",
			"unknown operation %q; there are status, start, prepare, freeze, dump, renew, thaw, leave, restore and signal", call.Op))
		return
	}
	if s.busy != "" && call.Op != "status" && call.Op != "signal" {
		refuse(call, protocol.Failed("Busy", "a %s is under way", s.busy))
		return
	}
	if err := operation(call); err != nil {
		refuse(call, err)
	}
}

func refuse(call link.Call, err error) {
	var failure *protocol.Failure
	if !errors.As(err, &failure) {
		failure = protocol.Failed("LauncherFailed", "%v", err)
	}
	call.Answer(protocol.Reply{Reason: failure.Reason, Message: failure.Message})
}

func accept(call link.Call) { call.Answer(protocol.Reply{OK: true}) }

func (s *Supervisor) status(call link.Call) error {
	cut := s.cut
	reply := protocol.Reply{OK: true, State: s.state, Busy: s.busy, PID: s.record.Root, Cut: &cut}
	if s.state == Exited {
		exit := s.exit
		reply.Exit = &exit
	}
	call.Answer(reply)
	return nil
}

func (s *Supervisor) signal(call link.Call) error {
	if call.Signal < 1 || call.Signal > 64 {
		return protocol.Failed("BadRequest", "signal must be a number from 1 to 64")
	}
	if s.record.Root == 0 || s.state == Exited {
		return s.wrongState("signal", Running, Frozen)
	}
	if err := syscall.Kill(s.record.Root, syscall.Signal(call.Signal)); err != nil {
		return err
	}
	accept(call)
	return nil
}

func (s *Supervisor) wrongState(operation string, allowed ...string) error {
	return protocol.Failed("WrongState", "%s is possible in the states %s; the program is %s",
		operation, strings.Join(allowed, ", "), s.state)
}

// imageDirectory checks that a request names a directory of its own below the images'.
func (s *Supervisor) imageDirectory(dir string) error {
	parent, name := filepath.Split(dir)
	if filepath.Clean(parent) != s.config.Images || filepath.Join(parent, name) != dir || name == "" || name == ".." {
		return protocol.Failed("BadRequest", "dir must be a directory right below %s", s.config.Images)
	}
	return nil
}
