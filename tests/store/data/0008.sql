INSERT INTO abreast_runs (id, repo, common_dir, base, base_sha, target, state, land, created, ended, max_parallel, source, note, plan, stop_requested, generation, created_tick, ordinal)
VALUES ('r1', '/home/ada/shop', '/home/ada/shop/.git', 'main', '1111111111111111111111111111111111111111', 'main', 'failed', 'merge', 1790000000.25, 1790000900.5, 2, 'plan.toml', 'uncommitted changes in src/app.py', '{"schema": 1, "tasks": []}', false, 2, 'b00t 20.250', 7);
INSERT INTO abreast_sessions (id, run_id, position, task, agent, state, kind, produces, attempt, base_sha, branch, worktree, directory, cli_session, model, started, ended, last_action, turns, input_tokens, cached_tokens, output_tokens, cost_usd, usage_source, files, "commit", reason, hint, final_message, landing, landed, needs, after, stop_requested, earlier_cli_sessions, again, started_tick, ended_tick)
VALUES ('r1/retry-http', 'r1', 0, 'retry-http', 'claude', 'done', 'task', 'HTTP client retries idempotent requests.', 1, '1111111111111111111111111111111111111111', 'abreast/r1/retry-http', '/s/worktrees/r1/retry-http', '/s/sessions/r1/retry-http', '6b0c0d0e-0000-4000-8000-000000000001', 'model-a', 1790000001, 1790000300, 'edit src/http.py', 7, 5000000000, 4000, 900, 0.25, 'stream', '["src/http.py", "caf\udce9.txt"]', '2222222222222222222222222222222222222222', '', '', 'Done: it''s tested — 100 %.', 'landed', '3333333333333333333333333333333333333333', '[]', '[]', false, '["6b0c0d0e-0000-4000-8000-000000000000"]', 'resume', 'b00t 21.000', 'b00t 320.000');
INSERT INTO abreast_sessions (id, run_id, position, task, agent, state, kind, produces, started, ended, reason, hint, needs, after)
VALUES ('r1/csv-export', 'r1', 1, 'csv-export', 'codex', 'failed', 'task', '`report export --csv` writes the report.', 1790000301, 1790000900, 'verify exited with 1', 'abreast logs r1/csv-export', '["retry-http"]', '["retry-http"]');
INSERT INTO abreast_events (at, run_id, session_id, kind, text) VALUES (1790000000.25, 'r1', NULL, 'state', 'queued');
INSERT INTO abreast_events (at, run_id, session_id, kind, text) VALUES (1790000300, 'r1', 'r1/retry-http', 'state', 'done');
INSERT INTO abreast_usage (session_id, attempt, model, input_tokens, cached_tokens, output_tokens, cost_usd, source)
VALUES ('r1/retry-http', 1, '', 5000000000, 4000, 900, 0.25, 'stream');
INSERT INTO abreast_usage (session_id, attempt, model, input_tokens, cached_tokens, output_tokens, cost_usd, source)
VALUES ('r1/retry-http', 1, 'model-a', 5000000000, 4000, 900, NULL, 'stream');
INSERT INTO abreast_sessions (id, run_id, position, task, agent, state, kind, parent)
VALUES ('r1/1', 'r1', 2, '1', 'gemini', 'done', 'child', 'r1/retry-http');
INSERT INTO abreast_deliverables (session_id, at, agent, profile, outcome, repairs, bytes, tokens, start_up, child_total, kept_out, summary, net, expected_net, sha256, path)
VALUES ('r1/1', 1790000950, 'gemini', 'lean', 'cut', 1, 5000000000, 1250000000, 3100, 42000, 38000, 300, 34600, NULL, 'ab', '/s/sessions/r1/1/1/deliverable.json');
INSERT INTO abreast_executors (id, boot, expires, state, host, pid, pid_started, space, state_dir, since) VALUES ('m1', 'b00t', 1790000960, 'free', 'ada-laptop', 4242, 19.5, 'machine b00t pid:[1]', '/s', 1789999999.5);
INSERT INTO abreast_transcripts (path, agent, state, session, parent, forked_from, cwd, warnings, models, inode, size, mtime, read_bytes, skipped, generation, begun, gone, tallies, requests)
VALUES ('/home/ada/.claude/projects/-home-ada-shop/6b0c0d0e.jsonl', 'claude', '{"tail": [0, 0]}', '6b0c0d0e', '', '', '/home/ada/shop', '[]', '["model-a"]', 18446744073, 5000000000, 1790000300000000000, 4999999990, 0, 1, 1790000001.5, NULL, '[[1988889, "model-a", 1, 5000, 4000, 900, 0, 0.0, 0]]', '');
