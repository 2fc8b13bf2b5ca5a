package supervisor

import (
	"errors"
	"os"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/output"
	"ergosphere.dev/launcher/internal/proctree"
	"ergosphere.dev/launcher/internal/program"
)

// start starts the program, unless it has been started.
func (s *Supervisor) start(call link.Call) error {
	if s.state == Running || s.state == Frozen {
		accept(call)
		return nil
	}
	if s.state != Waiting {
		return s.wrongState("start", Waiting)
	}
	if err := s.launch(nil); err != nil {
		return err
	}
	accept(call)
	return nil
}

// launch starts the program with these variables beside its own.
func (s *Supervisor) launch(variables map[string]string) error {
	if err := s.openPumps(s.config.Program.User); err != nil {
		return err
	}
	proctree.MoveCursorPastReserved()
	pid, ended, err := s.reaper.Watching(func() (int, error) {
		return program.Start(s.config.Program, variables, s.stdout.WriteEnd(), s.stderr.WriteEnd())
	})
	err = errors.Join(err, s.closeWriteEnds())
	if err != nil {
		return err
	}
	s.record = checkpoint.Record{
		Root: pid, User: s.config.Program.User, Stdout: s.stdout.Inode, Stderr: s.stderr.Inode,
		Job: s.config.Job,
	}
	s.ended, s.state, s.save = ended, Running, save{}
	return nil
}

func (s *Supervisor) openPumps(user program.User) (err error) {
	if s.stdout, err = output.New(os.Stdout, int(user.UID)); err != nil {
		return err
	}
	s.stderr, err = output.New(os.Stderr, int(user.UID))
	return err
}

func (s *Supervisor) closeWriteEnds() error {
	return errors.Join(s.stdout.CloseWriteEnd(), s.stderr.CloseWriteEnd())
}
