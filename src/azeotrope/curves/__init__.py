"""What runs say of error curves: cells and their noise, laws fitted and weighed, joint draws. It decides nothing."""
