/**
 * Loaded before each test: the processes that it starts are started as anybody would start them, without what tap has
 * each process load to measure coverage, which nobody looks at here and which costs them a third of a second.
 */

const { NODE_OPTIONS } = process.env
if (NODE_OPTIONS !== undefined) process.env.NODE_OPTIONS = NODE_OPTIONS.replace(/"?--import=\S*@tapjs\/processinfo\S*/, '').trim()
