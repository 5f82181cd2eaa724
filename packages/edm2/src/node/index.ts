// What reads and writes files: for Node, where the main entry also runs in browsers.
export {};
